"""Initiatives as people have them: drawn shapes, names of wards, postcodes; every fault named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import shapely

from areaeffect.commands.evaluate import evaluate_into
from areaeffect.errors import AreaEffectError, DataError
from areaeffect.geography.boundaries import Boundaries
from areaeffect.panel import Neighbourhood
from areaeffect.register.drawn_areas import PlacesRead
from areaeffect.register.initiatives import neighbourhoods_named
from areaeffect.study.initiative import Initiative
from areaeffect.study.parts import Window
from tests.shared.small_study import edit, write_small_study

#: A grid of squares of 1 km in Teesside, in National Grid metres.
WEST, SOUTH, SIDE = 445_000.0, 515_000.0, 1000.0
AREAS = np.array([f"E010120{i:02d}" for i in range(12)])  # 4 a row, from the south-west
SQUARES = np.array(
    [
        shapely.box(
            WEST + SIDE * (i % 4),
            SOUTH + SIDE * (i // 4),
            WEST + SIDE * (i % 4 + 1),
            SOUTH + SIDE * (i // 4 + 1),
        )
        for i in range(12)
    ],
    dtype=object,
)
BOUNDARIES = Boundaries(SQUARES)
WINDOW = Window(start="2012-01", end="2015-12")


def box(x0: float, y0: float, x1: float, y1: float) -> shapely.Polygon:
    """A box in kilometres from the grid's corner."""
    return shapely.box(WEST + 1e3 * x0, SOUTH + 1e3 * y0, WEST + 1e3 * x1, SOUTH + 1e3 * y1)


def write(
    path: Path, shapes: list[Any], names: list[str] | None = None, crs: str | None = "EPSG:4326"
) -> Path:
    """Write shapes given in National Grid; GeoJSON in degrees unless another system is asked."""
    names = names or [f"Place {i + 1}" for i in range(len(shapes))]
    frame = geopandas.GeoDataFrame(
        {"name": names, "start_date": ["2014-01-01"] * len(shapes)}, geometry=shapes, crs=27700
    )
    frame.to_crs(crs or 27700).to_file(path)
    return path


def write_raw(path: Path, geometry: Any, name: str = "Harcourt") -> Path:
    """Write one feature with coordinates as they are given."""
    feature = {"type": "Feature", "properties": {"name": name}, "geometry": geometry}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return path


def read(
    path: Path, boundaries: Boundaries | None = BOUNDARIES, **said: Any
) -> tuple[list[Neighbourhood], PlacesRead]:
    initiative = Initiative(name="Residents First", areas=path.name, **{"start": "2014-01"} | said)
    return neighbourhoods_named(initiative, path, path.parent, boundaries, AREAS, WINDOW)


def faults(path: Path, **said: Any) -> list[str]:
    with pytest.raises(AreaEffectError) as caught:
        read(path, **said)
    return [str(p).replace(f"{path.parent}/", "") for p in caught.value.problems]


# ---------------------------------------------------------------- drawn shapes


@pytest.mark.parametrize(
    ("file", "crs"), [("a.geojson", "EPSG:4326"), ("a.gpkg", "EPSG:27700"), ("a.shp", "EPSG:3857")]
)
def test_areas_belong_where_half_of_them_lies_inside(tmp_path: Path, file: str, crs: str) -> None:
    path = write(tmp_path / file, [box(0, 0, 1.7, 1.3)], ["Harcourt"], crs)
    (place,), found = read(path)
    assert (place.name, AREAS[place.areas].tolist()) == ("Harcourt", [AREAS[0], AREAS[1]])
    shares = {f.area: (round(f.share or 0, 3), f.kept) for f in found.fits}
    assert shares == {
        AREAS[0]: (1.0, True),
        AREAS[1]: (0.7, True),
        AREAS[4]: (0.3, False),
        AREAS[5]: (0.21, False),
    }
    (whole,) = found.shapes
    assert whole.n_kept == 2
    assert whole.captured == pytest.approx(1.7 / (1.7 * 1.3), abs=1e-3)
    assert whole.inside == pytest.approx(0.85, abs=1e-3)


def test_the_share_that_is_needed_may_be_set(tmp_path: Path) -> None:
    path = write(tmp_path / "a.geojson", [box(0, 0, 1.7, 1.3)])
    (place,), _ = read(path, fit={"least": 0.25})
    assert AREAS[place.areas].tolist() == [AREAS[0], AREAS[1], AREAS[4]]


def test_people_may_count_instead_of_surface(tmp_path: Path) -> None:
    """A shape with a fifth of an area's surface and most of its people."""
    path = write(tmp_path / "a.geojson", [box(0, 0, 0.2, 1)])
    points = "easting,northing,residents\n445100,515500,900\n445800,515500,300\n446500,515500,50\n"
    (tmp_path / "people.csv").write_text(points)
    fit = {"by": "population", "points": "people.csv"}
    (place,), found = read(path, fit=fit)
    assert AREAS[place.areas].tolist() == [AREAS[0]]
    assert [(f.area, f.share) for f in found.fits] == [(AREAS[0], 0.75)]
    assert found.shapes[0].captured == 1.0
    assert faults(path)[0].startswith(
        "a.geojson, feature 1 ('Place 1'): no area matches 'Place 1': the largest share it covers "
        "is 20%, of E01012000. It is smaller than the areas in the data."
    )


def test_shapes_of_one_neighbourhood_are_joined(tmp_path: Path) -> None:
    shapes = [box(0, 0, 0.3, 1), box(0.3, 0, 0.6, 1), box(2, 2, 3, 3)]
    path = write(tmp_path / "a.geojson", shapes, ["West", "West", "East"])
    east, west = read(path)[0]
    assert (AREAS[east.areas].tolist(), AREAS[west.areas].tolist()) == ([AREAS[10]], [AREAS[0]])


def test_what_lies_in_a_hole_is_no_part_and_the_hole_is_named(tmp_path: Path) -> None:
    ring = box(0, 0, 3, 3).difference(box(1, 1, 2, 2))
    (place,), found = read(write(tmp_path / "a.geojson", [ring], ["Ring"]))
    assert AREAS[5] not in AREAS[place.areas]
    assert len(place.areas) == 8
    assert found.notes == [
        "a.geojson, feature 1 ('Ring'): the shape has a hole; what lies inside is not part of it.",
        "a.geojson: 1 rows read, 1 kept, 0 left out.",
    ]


def test_a_shape_elsewhere_in_the_country_is_left_out_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a.geojson", [box(0, 0, 1, 1), box(50, 50, 51, 51)], ["Here", "Away"])
    (here,), found = read(path)
    assert here.name == "Here"
    (away,) = found.left_out
    assert (away.what, away.place) == ("Away", "feature 2 ('Away')")
    assert away.reason == "lies in none of the study's areas"
    path = write(tmp_path / "b.geojson", [box(50, 50, 51, 51)])
    assert faults(path) == [
        "b.geojson: no shape touches an area of the study. Check that the sources cover the "
        "place, and its coordinates."
    ]


def test_an_area_in_two_shapes_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.geojson", [box(0, 0, 1, 1), box(0, 0, 0.9, 1)], ["One", "Two"])
    assert faults(path) == [
        f"a.geojson, feature 2 ('Two'): area '{AREAS[0]}' is in 'One' (feature 1 ('One')) and "
        "in 'Two'. An area belongs to one neighbourhood."
    ]


BOWTIE = [[-1.30, 54.53], [-1.28, 54.55], [-1.28, 54.53], [-1.30, 54.55], [-1.30, 54.53]]
FINE = [[-1.30, 54.53], [-1.28, 54.53], [-1.28, 54.55], [-1.30, 54.55], [-1.30, 54.53]]
GRID = [[445e3, 515e3], [446e3, 515e3], [446e3, 516e3], [445e3, 516e3], [445e3, 515e3]]


def polygon(ring: list[list[float]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [ring]}


def test_a_shape_that_crosses_itself_is_refused_with_the_place(tmp_path: Path) -> None:
    path = write_raw(tmp_path / "a.geojson", polygon(BOWTIE))
    assert faults(path) == [
        "a.geojson, feature 1 ('Harcourt'): the shape is not valid: it crosses itself at -1.29, "
        "54.54. Draw it again there: the program does not repair it: that would be a guess."
    ]


def test_a_shape_abroad_is_refused(tmp_path: Path) -> None:
    path = write_raw(tmp_path / "a.geojson", polygon([[-x + 2, y] for x, y in FINE]))
    (fault,) = faults(path)
    assert fault.startswith("a.geojson, feature 1 ('Harcourt'): the shape is outside Britain")
    assert "the sign of the longitude" in fault


def test_longitude_and_latitude_the_wrong_way_round_are_told(tmp_path: Path) -> None:
    path = write_raw(tmp_path / "a.geojson", polygon([[y, x] for x, y in FINE]))
    assert faults(path) == [
        "a.geojson, feature 1 ('Harcourt'): the shape has longitude and latitude the wrong way "
        "round. In GeoJSON longitude comes first: [-1.23, 54.57]."
    ]


def test_national_grid_that_does_not_say_so_is_told_and_may_be_claimed(tmp_path: Path) -> None:
    path = write_raw(tmp_path / "a.geojson", polygon(GRID))
    assert faults(path) == [
        "a.geojson, feature 1 ('Harcourt'): the shape looks like British National Grid (metres), "
        "but the file says longitude and latitude, or nothing. "
        'Write crs = "EPSG:27700" beside `areas`, or save it as longitude and latitude.'
    ]
    (place,), _ = read(path, crs="EPSG:27700")
    assert AREAS[place.areas].tolist() == [AREAS[0]]
    assert faults(path, crs="National Grid")[0].startswith(
        "a.geojson: 'National Grid' is not a coordinate reference system."
    )


def test_a_shape_of_20000_vertices_is_refused_before_it_is_looked_at(tmp_path: Path) -> None:
    angles = np.linspace(0, 2 * np.pi, 20_000, endpoint=False)
    ring = [[-1.29 + 0.01 * np.cos(a), 54.54 + 0.01 * np.sin(a)] for a in angles]
    path = write_raw(tmp_path / "a.geojson", polygon([*ring, ring[0]]))
    assert faults(path) == [
        "a.geojson, feature 1 ('Harcourt'): the shape has 20,001 vertices; 10,000 are read. "
        "Simplify it: a difference of a metre changes no area."
    ]


@pytest.mark.parametrize(
    ("geometry", "what"),
    [
        ({"type": "Point", "coordinates": [-1.29, 54.54]}, "a Point is not an area."),
        ({"type": "LineString", "coordinates": FINE}, "a LineString is not an area."),
        ({"type": "Polygon", "coordinates": []}, "the shape is empty."),
        (None, "the shape is empty."),
    ],
)
def test_what_is_no_area_is_refused_by_name(tmp_path: Path, geometry: Any, what: str) -> None:
    path = write_raw(tmp_path / "a.geojson", geometry)
    assert faults(path)[0].startswith(f"a.geojson, feature 1 ('Harcourt'): {what}")


def test_shapes_that_cannot_be_told_apart_need_names(tmp_path: Path) -> None:
    path = write(tmp_path / "a.geojson", [box(0, 0, 1, 1), box(1, 0, 2, 1)], ["", "East"])
    assert faults(path) == [
        "a.geojson, feature 1: the shape has no name. Give each a property 'neighbourhood' (or 'name')."
    ]


@pytest.mark.parametrize("content", ["", "{", '{"type": "FeatureCollection", "features": []}'])
def test_a_file_that_holds_no_shapes_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.geojson").write_text(content)
    assert faults(tmp_path / "a.geojson")[0].startswith("a.geojson: the ")


def test_drawn_shapes_need_boundaries_to_fit(tmp_path: Path) -> None:
    path = write(tmp_path / "a.geojson", [box(0, 0, 1, 1)])
    with pytest.raises(DataError, match="no source of the study has boundaries"):
        read(path, boundaries=None)


# ---------------------------------------------------------------- names of wards and MSOAs

LOOKUP = """\
area_code,ward24_code,ward24_name,ltla24_code,ltla24_name
E01012000,E05000001,North Ormesby,E06000002,Middlesbrough
E01012001,E05000001,North Ormesby,E06000002,Middlesbrough
E01012002,E05000002,St. Mary's & Park,E06000002,Middlesbrough
E01012003,E05000003,Central,E06000002,Middlesbrough
E01012004,E05000004,Central,E06000001,"Hartlepool, City of"
E01099999,E05000004,Central,E06000001,"Hartlepool, City of"
"""


def named(folder: Path, text: str, **said: Any) -> tuple[list[Neighbourhood], PlacesRead]:
    (folder / "lookup.csv").write_text(LOOKUP)
    (folder / "wards.csv").write_text(text)
    return read(folder / "wards.csv", lookup="lookup.csv", **said)


def test_wards_are_found_by_name_or_code(tmp_path: Path) -> None:
    text = "ward,authority\nnorth  ormesby,Middlesbrough\nE05000002,\nCentral,City of Hartlepool\n"
    places, found = named(tmp_path, text)
    assert {p.name: AREAS[p.areas].tolist() for p in places} == {
        "Central": ["E01012004"],
        "E05000002": ["E01012002"],
        "north ormesby": ["E01012000", "E01012001"],
    }
    assert [(x.what, x.reason) for x in found.left_out] == [
        ("Central", "1 of its 2 areas are not in the study's data")
    ]
    (note,) = found.left_out_note()
    assert note == (
        "wards.csv: 1 entry is left out: line 4, 'Central' 1 of its 2 areas are not in the study's data."
    )


def test_punctuation_does_not_matter(tmp_path: Path) -> None:
    (place,), _ = named(tmp_path, "ward,neighbourhood\nSt Marys and Park,South\n")
    assert (place.name, AREAS[place.areas].tolist()) == ("South", ["E01012002"])


def test_namesakes_need_their_authority(tmp_path: Path) -> None:
    text = "ward,authority\nCentral,\nCentrl,Middlesbrough\nCentral,Leeds\n"
    with pytest.raises(DataError) as caught:
        named(tmp_path, text)
    assert [str(p).replace(f"{tmp_path}/", "") for p in caught.value.problems] == [
        "wards.csv, line 2: 2 authorities have a ward 'Central' (Hartlepool, City of, "
        "Middlesbrough). Name its local authority in a column 'authority'.",
        "wards.csv, line 3: there is no ward 'Centrl' in Middlesbrough (Did you mean 'Central'?).",
        "wards.csv, line 4: there is no local authority 'Leeds' in lookup.csv.",
    ]


# ---------------------------------------------------------------- postcodes

POSTCODES = "pcds,lsoa21cd,doterm\n" + "".join(
    f"TS{1 + i // 4} {i % 4}AB,{AREAS[i // 4]},{'202003' if i == 3 else ''}\n" for i in range(12)
)


def posted(folder: Path, text: str, **said: Any) -> tuple[list[Neighbourhood], PlacesRead]:
    (folder / "lookup.csv").write_text(POSTCODES)
    (folder / "homes.csv").write_text(text)
    return read(folder / "homes.csv", lookup="lookup.csv", **said)


def test_postcodes_stand_for_areas_of_which_half_are_listed(tmp_path: Path) -> None:
    listed = ["TS1 0AB", "ts11ab", "TS2 0AB", "TS1 3AB", "TS9 9ZZ", "Acklam Road"]
    (place,), found = posted(tmp_path, "postcode\n" + "\n".join(listed) + "\n")
    assert AREAS[place.areas].tolist() == [AREAS[0]]
    assert [(f.area, round(f.share or 0, 3), f.kept) for f in found.fits] == [
        (AREAS[0], 0.667, True),
        (AREAS[1], 0.25, False),
    ]
    assert [(x.place, x.reason) for x in found.left_out] == [
        ("line 5", "'TS1 3AB' was terminated (202003)"),
        ("line 6", "'TS9 9ZZ' is not in lookup.csv"),
        ("line 7", "'Acklam Road' is not written like a postcode"),
    ]
    assert "lookup.csv: 12 rows read, 12 kept, 0 left out." in found.notes
    assert found.account() == ["homes.csv: 6 rows read, 3 kept, 3 left out."]
    assert found.left_out_note() == [
        "homes.csv: 3 entries are left out: line 5, 'TS1 3AB' was terminated (202003), line 6, "
        "'TS9 9ZZ' is not in lookup.csv, line 7, 'Acklam Road' is not written like a postcode."
    ]


def test_a_postcode_listed_for_two_neighbourhoods_is_named(tmp_path: Path) -> None:
    lookup = "pcds,lsoa21cd\n" + "".join(
        f"TS{i + 1} {k}A{x},{AREAS[i]}\n" for i in (0, 1) for k in range(10) for x in "BD"
    )
    listed = [f"TS1 {k}A{x},A" for k in range(10) for x in "BD"] + ["TS1 0AB,B"]
    listed += [f"TS2 {k}A{x},B" for k in range(10) for x in "BD"]
    (tmp_path / "lookup.csv").write_text(lookup)
    (tmp_path / "homes.csv").write_text("\n".join(["postcode,neighbourhood", *listed]) + "\n")
    places, found = read(tmp_path / "homes.csv", lookup="lookup.csv")
    assert [p.name for p in places] == ["A", "B"]
    said = "homes.csv: 1 postcode is listed for two neighbourhoods and count for both (TS10AB)."
    assert said in found.notes


def test_postcodes_that_stand_for_no_area_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the largest listed share of an area's postcodes is 25%"):
        posted(tmp_path, "postcode\nTS2 0AB\n")
    with pytest.raises(DataError, match="none of 1 postcodes can be placed"):
        posted(tmp_path, "postcode\nTS99 0AB\n")


def test_postcodes_need_a_lookup(tmp_path: Path) -> None:
    (tmp_path / "homes.csv").write_text("postcode\nTS1 0AB\n")
    assert faults(tmp_path / "homes.csv")[0].startswith(
        "homes.csv: postcodes are listed, but no directory says in which areas they lie."
    )


# ---------------------------------------------------------------- from end to end


def test_the_fit_of_drawn_places_is_in_the_files_and_the_report(tmp_path: Path) -> None:
    study = write_small_study(tmp_path)
    side, shapes = 0.005, []
    for i, j in ((9, 10), (21, 22), (33, 34)):  # two squares of the grid, and a bit of the next
        west, south = -1.5 + side * (i % 8), 54.5 + side * (i // 8)
        shapes.append(shapely.box(west, south, west + 2.2 * side, south + side))
        assert j == i + 1
    frame = geopandas.GeoDataFrame(
        {"name": ["Abbey", "Bridge", "Castle"], "start_date": "2013-01-01", "round": "first"},
        geometry=shapes,
        crs=4326,
    )
    frame.to_file(tmp_path / "drawn.geojson")
    edit(study, "members.csv", "drawn.geojson")
    result = evaluate_into(study, tmp_path / "out", threads=1)
    assert [d.areas for d in result.designs] == [("T009", "T010"), ("T021", "T022"), ("T033", "T034")]
    annex = result.annex("boundary_fit")
    assert annex is not None
    assert (annex.found.places, annex.found.areas_kept) == (3, 6)
    rows = annex.table("boundary_fit").records()
    assert [(r["area"], r["kept"]) for r in rows if r["neighbourhood"] == "Abbey"] == [
        ("T009", True),
        ("T010", True),
        ("T011", False),
    ]
    page = (tmp_path / "out" / "annex.html").read_text(encoding="utf-8")
    assert 'id="boundary-fit"' in page
    assert "3 places drawn, or listed by postcode, touch 9 areas; 6 are used for them" in page
    assert (tmp_path / "out" / "data" / "boundary_fit.csv").is_file()
