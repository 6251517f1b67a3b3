"""Directories of postcodes in their publisher's own layout, fetched from the mirror; the rows are made up.

The names and order of the columns are those of two genuine editions. No genuine postcode begins
with ZZ, so that nobody takes one of these for a place.
"""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from areaeffect.commands import fetch
from areaeffect.sources.publishers.releases import catalogue
from tests.shared import publisher_mirror

#: The ONS Postcode Directory of February 2023, with areas of three censuses.
ONSPD = (
    "ONSPD_FEB_2023_UK",
    "pcd,pcd2,pcds,dointr,doterm,oscty,ced,oslaua,osward,parish,usertype,oseast1m,osnrth1m,osgrdind,oshlthau,"
    "nhser,ctry,rgn,streg,pcon,eer,teclec,ttwa,pct,itl,statsward,oa01,casward,park,lsoa01,msoa01,ur01ind,oac01,"
    "oa11,lsoa11,msoa11,wz11,sicbl,bua11,buasd11,ru11ind,oac11,lat,long,lep1,lep2,pfa,imd,calncv,icb,oa21,"
    "lsoa21,msoa21",
)
#: The National Statistics Postcode Lookup of August 2026, with those of 2021 alone.
NSPL = (
    "NSPL_AUG_2026_UK",
    "pcd7,pcd8,pcds,dointr,doterm,usrtypind,east1m,north1m,gridind,oa21cd,cty26cd,ced25cd,lad26cd,wd26cd,"
    "nhser24cd,ctry26cd,rgn26cd,pcon24cd,ttwa15cd,itl25cd,npark16cd,lsoa21cd,msoa21cd,wz11cd,sicbl26cd,bua24cd,"
    "ruc21ind,oac21ind,lat,long,lep21cd1,lep21cd2,pfa23cd,imd25ind,icb26cd",
)


def postcode(n: int) -> str:
    """Return the made-up postcode of one row."""
    return f"ZZ{1 + n} 1AA"


def zipped(edition: tuple[str, str], areas: list[str]) -> bytes:
    """Return the publisher's zip, with a postcode in use in each area and one that has ended."""
    name, header = edition
    columns = header.split(",")
    text = io.StringIO()
    out = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC)
    text.write(header + "\n")
    written = [(postcode(n), "", area) for n, area in enumerate(areas)] + [("ZZ1 9ZZ", "201406", areas[0])]
    for full, ended, area in written:
        short = full.replace(" ", "")
        known = {"pcds": full, "dointr": "198001", "doterm": ended, "lat": 99.999999, "long": 0.0}
        known |= dict.fromkeys(("pcd", "pcd7"), f"{short[:-3]:4}{short[-3:]}")
        known |= dict.fromkeys(("pcd2", "pcd8"), f"{short[:-3]:5}{short[-3:]}")
        known |= dict.fromkeys(("lsoa11", "lsoa21", "lsoa21cd"), area)
        out.writerow([known.get(column, "") for column in columns])
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"Data/multi_csv/{name}_ZZ.csv", text.getvalue())
        archive.writestr(f"Data/{name}.csv", text.getvalue())
    return made.getvalue()


def fetch_postcodes(patch: pytest.MonkeyPatch, folder: Path, content: bytes) -> None:
    """Fetch a directory from the mirror as `areaeffect fetch postcodes` does, and have it found.

    Its number of rows and its hash are not on record; all else of the release is as shipped.
    """
    release = catalogue()["postcodes"]
    (file,) = release.files
    loose = replace(file, rows=0, origin=replace(file.origin, sha256=""))
    patch.setitem(catalogue(), "postcodes", replace(release, areas=1, files=(loose,)))
    patch.setenv("AREAEFFECT_FETCHED", str(folder))
    with publisher_mirror.running() as mirror:
        mirror.put(file.origin.address, content)
        patch.setenv("AREAEFFECT_MIRROR", mirror.base)
        fetch.fetch(fetch.plan(["postcodes"], folder), lambda *_: None)
