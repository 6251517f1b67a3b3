"""Find and look without a browser: search, choose, refuse, and the twins of each page."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import shutil
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from areaeffect.web import limits, render
from areaeffect.web.app import create_app
from areaeffect.web.atlas import atlases, find_atlas
from areaeffect.web.history import standing_of
from areaeffect.web.limits import Contact, ServerSettings
from tests.shared.chart_reader import check_chart

PLACES = ("area", "authority", "country")
HERE = "http://127.0.0.1:8321"


@pytest.fixture(scope="module")
def client(county: ServerSettings) -> TestClient:
    return TestClient(create_app(county), base_url=HERE, raise_server_exceptions=False)


@pytest.fixture(scope="module")
def codes(county: ServerSettings) -> list[str]:
    return [str(c) for c in find_atlas(county, "").table["code"]]


def change(client: TestClient, **fields: str) -> str:
    """Post to the form; the address it leads to, or the refusal's status."""
    answer = client.post("/find/change", data=fields, follow_redirects=False)
    return answer.headers.get("location", str(answer.status_code))


def buttons(client: TestClient, name: str, address: str, **query: str) -> list[str]:
    """The values of the buttons of a name in the lists of a page, in their order."""
    page = client.get(address, params=query or None).text
    return [unescape(v) for v in re.findall(rf'<button name="{name}" value="([^"]+)">.*</button></li>', page)]


def chosen(client: TestClient, address: str) -> set[str]:
    return set(buttons(client, "remove", address))


def found(client: TestClient, q: str) -> list[str]:
    """The code of each area found, and kind, name and larger place of each ward and council."""
    return buttons(client, "add", "/find", q=q)


def test_without_an_atlas_the_page_says_how_to_make_one(settings: ServerSettings) -> None:
    answer = TestClient(create_app(settings), base_url=HERE).get("/find")

    assert answer.status_code == 200
    assert "areaeffect serve --demo" in answer.text


def test_search_finds_by_name_ward_authority_and_code(
    client: TestClient, county: ServerSettings, codes: list[str]
) -> None:
    table = find_atlas(county, "").table
    ward, authority, region = (str(table[k][7]) for k in ("ward", "authority", "region"))

    assert found(client, codes[7]) == [codes[7]]
    assert found(client, ward.upper())[0] == f"ward|{ward}|{authority}"
    assert f"authority|{authority}|{region}" in found(client, authority[:4])
    assert found(client, "zzz") == []
    assert "lookup of postcodes" in client.get("/find?q=TS1 1AA").text


def test_every_way_of_choosing_gives_the_same_address(client: TestClient, county: ServerSettings) -> None:
    atlas = find_atlas(county, "")
    code, other = str(atlas.table["code"][3]), str(atlas.table["code"][9])
    one = change(client, view="", add=code)
    both = change(client, view=urlsplit(one).query, add=other)

    pasted = change(client, view="", codes=f"{other},\n{code}")
    toggled = change(client, view=urlsplit(both).query, toggle=other)
    lon, lat = float(atlas.table["lon"][3]), float(atlas.table["lat"][3])

    assert both == pasted == f"/find?areas={code},{other}"
    near = change(client, view="", near=code, km="0.1")
    assert toggled == one == near
    square = [[lon - 1e-4, lat - 1e-4], [lon + 1e-4, lat - 1e-4], [lon, lat + 1e-4]]
    drawn = change(client, view="", shape=json.dumps(square))
    assert re.fullmatch(r"/find\?set=[0-9a-f]{12}", drawn)
    assert chosen(client, drawn) == {code}


def test_a_ward_is_added_whole_and_many_areas_become_a_short_name(
    client: TestClient, county: ServerSettings
) -> None:
    atlas = find_atlas(county, "")
    authorities = sorted(set(map(str, atlas.table["authority"])))
    sizes = {a: int((atlas.table["authority"] == a).sum()) for a in authorities}
    large = max(sizes, key=lambda a: sizes[a])
    assert sizes[large] > limits.URL_AREAS

    address = change(client, view="", add=f"authority|{large}|")

    assert re.fullmatch(r"/find\?set=[0-9a-f]{12}", address)
    assert len(chosen(client, address)) == sizes[large]
    read_only = TestClient(create_app(ServerSettings(store=county.store, read_only=True)), base_url=HERE)
    assert change(read_only, view="", add=f"authority|{large}|") == "403"


def test_every_page_has_a_twin_for_programs(
    client: TestClient, county: ServerSettings, codes: list[str]
) -> None:
    atlas = find_atlas(county, "")
    (listed,) = client.get("/atlases.json").json()["atlases"]
    assert (listed["key"], listed["n_areas"]) == (atlas.key, len(atlas.table["code"]))
    find = client.get("/find.json", params={"q": codes[7], "areas": f"{codes[0]},{codes[3]}"}).json()
    assert [area["code"] for area in find["chosen"]] == [codes[0], codes[3]]
    assert find["found"][0]["areas"] == [codes[7]]
    assert find["title"] == atlas.layer("").title
    one = client.get(f"/areas/{codes[0]}.json").json()
    two = client.get("/neighbourhood.json", params={"areas": f"{codes[0]},{codes[3]}"}).json()
    assert [area["code"] for area in two["areas"]] == [codes[0], codes[3]]
    crime = next(h for h in one["histories"] if h["key"] == "crime")
    text = client.get(f"/areas/{codes[0]}/crime.csv").text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["period"] for row in crime["rows"]] == [row["period"] for row in rows]
    read = [float(row["area"]) if row["area"] else None for row in rows]
    assert read == pytest.approx([row["area"] for row in crime["rows"]])


SPIRAL = [[-1.0 + i * 1e-5, 52.0 + (i % 2) * 1e-5] for i in range(limits.POLYGON_VERTICES + 2)]
BOW = [[-2.0, 52.0], [-1.0, 53.0], [-1.0, 52.0], [-2.0, 53.0]]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"shape": json.dumps(SPIRAL)}, "502 corners"),
        ({"shape": json.dumps(BOW)}, "crosses itself at -1.5, 52.5"),
        ({"shape": json.dumps([BOW, BOW])}, "one closed outline"),
        ({"shape": "[[1,2],[3,NaN],[4,5]]"}, "not degrees"),
        ({"shape": "[" * 4000}, "one closed outline"),
        ({"shape": json.dumps([[0, 0], [0, 1e-9], [1e-9, 0]])}, "No area has its middle"),
        ({"near": "nowhere at all", "km": "1"}, "is not found"),
        ({"near": "S01000001", "km": "nan"}, "not a distance"),
        ({"near": "S01000001", "km": "21"}, "not a distance"),
        ({"codes": "E01000001"}, "not codes of this atlas"),
        ({"codes": "," * 10}, "not codes of this atlas"),
        ({"codes": "X" * (limits.PASTED_LETTERS + 1)}, "letters are too many"),
        ({"codes": "a," * (limits.PASTED_CODES + 1)}, "codes are too many"),
        ({}, "The request is empty"),
    ],
)
def test_each_limit_refuses_in_few_bytes(client: TestClient, fields: dict[str, str], words: str) -> None:
    answer = client.post("/find/change", data={"view": "", **fields})

    assert answer.status_code == 422
    assert words in unescape(answer.text)
    assert len(answer.content) <= limits.ERROR_BYTES


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/find?bsae=county", 400),
        ("/find?layer=nothing", 400),
        ("/find?period=1066", 400),
        ("/find?areas=E01000001", 404),
        ("/find?set=0123456789ab", 404),
        ("/find?base=atlantis", 404),
        ("/areas/E01000001", 404),
        ("/areas/..%2f..%2fsecret", 404),
        ("/atlases/..%2f/areas.pmtiles", 404),
        ("/atlases/county/values/..%2f..%2fatlas/0.json", 404),
        ("/atlases/county/values/crime/999.json", 404),
    ],
)
def test_what_is_not_there_is_refused(client: TestClient, address: str, status: int) -> None:
    assert client.get(address).status_code == status


def test_the_table_sorts_with_missing_last_and_holds_every_area_once(
    client: TestClient, codes: list[str]
) -> None:
    seen: list[str] = []
    for number in range(1, 1 + -(-len(codes) // limits.ROWS_A_PAGE)):
        text = client.get(f"/find?sort=high&page={number}").text
        table = text[text.index("<tbody>") :]
        seen += re.findall(r'href="/areas/([^"?]+)', table)

    assert sorted(set(seen)) == codes
    assert len(seen) == len(codes)


def test_the_csv_of_a_history_holds_what_is_drawn(
    client: TestClient, county: ServerSettings, codes: list[str]
) -> None:
    page = client.get(f"/areas/{codes[0]}").text
    drawing = client.get(f"/areas/{codes[0]}/crime.svg").text
    rows = list(csv.DictReader(io.StringIO(client.get(f"/areas/{codes[0]}/crime.csv").text)))
    atlas = find_atlas(county, "")
    exposure = atlas.exposure("crime")

    assert exposure is not None
    assert 'role="img"' in page
    read = [float(r["area"]) if r["area"] else np.nan for r in rows]
    assert read == pytest.approx(list(atlas.history("crime")[0] / exposure[0] * 1000), nan_ok=True)
    last = [r["area_mean_12"] for r in rows][-1]
    assert float(last) == pytest.approx(np.mean(read[-12:]))
    drawn = [
        {k: float(v) if v else None for k, v in r.items() if k.removesuffix("_mean_12") in PLACES}
        for r in rows
    ]
    assert check_chart(drawing, drawn) >= {"area", "area_mean_12", "authority_mean_12", "country_mean_12"}


def test_a_neighbourhood_has_its_total_trend_and_gaps(
    client: TestClient, county: ServerSettings, codes: list[str]
) -> None:
    atlas = find_atlas(county, "")
    two = [codes[0], codes[1]]
    page = client.get("/neighbourhood", params={"areas": ",".join(two)}).text
    text = client.get("/neighbourhood/crime.csv", params={"areas": ",".join(two)}).text
    rows = list(csv.DictReader(io.StringIO(text)))
    values, exposure = atlas.history("crime")[:2], atlas.exposure("crime")

    assert exposure is not None
    rate = values.sum(axis=0) / exposure[:2].sum() * 1000
    read = [float(row["area"] or "nan") for row in rows]
    assert read == pytest.approx(list(rate), nan_ok=True)
    assert f"{values[:, -12:].sum():,.0f} crimes from" in page
    assert "in the first year with figures" in page
    assert "Figures run from" in page
    assert page.count('role="img"') >= 2, "a chart an outcome"
    assert client.get("/neighbourhood").status_code == 404, "nothing chosen"


def test_a_chart_can_be_taken_as_a_picture_and_framed_by_another_site(
    client: TestClient, codes: list[str]
) -> None:
    query = {"areas": f"{codes[0]},{codes[1]}"}
    picture = client.get("/neighbourhood/crime.png", params=query)
    drawing = client.get(f"/areas/{codes[0]}/crime.svg")
    framed = client.get("/neighbourhood/crime/embed", params=query)
    page = client.get("/neighbourhood", params=query)

    assert picture.content.startswith(b"\x89PNG")
    assert drawing.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "frame-ancestors *" in framed.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    (address,) = re.findall(r'iframe src="([^"]+crime/embed[^"]*)"', unescape(page.text))
    assert client.get(address.removeprefix(HERE)).text == framed.text
    assert "<script" not in framed.text
    assert client.get("/neighbourhood/nothing.png", params=query).status_code == 404


@pytest.mark.parametrize(
    ("typed", "meant"), [("Brackenfrod", "Brackenford"), ("brakenford 001B", "Brackenford 001B")]
)
def test_a_misspelt_name_is_found(client: TestClient, typed: str, meant: str) -> None:
    page = unescape(client.get("/find", params={"q": typed}).text)
    assert f"Nothing here is called ‘{typed}’" in page
    assert re.search(rf">{meant}</(a|strong)>", page)


def test_a_postcode_finds_its_area_and_its_ward(
    county: ServerSettings, tmp_path: Path, codes: list[str]
) -> None:
    """Made-up postcodes, in the layout that `areaeffect tiles` writes of a directory."""
    folder = tmp_path / "atlases" / "county"
    shutil.copytree(county.atlases / "county", folder)
    known = pa.table({"postcode": ["AB10AA", "ZZ991ZZ"], "area": pa.array([7, 3], pa.int32())})
    pq.write_table(known, folder / "postcodes.parquet")
    manifest = json.loads((folder / "atlas.json").read_text())
    (folder / "atlas.json").write_text(json.dumps(manifest | {"postcodes": 2}))
    here = TestClient(create_app(replace(county, atlas=tmp_path / "atlases")), base_url=HERE)

    for typed in ("ZZ99 1ZZ", "zz991zz"):
        place, ward = found(here, typed)
        assert place == codes[3]
        assert ward.startswith("ward|")
        assert codes[3] in chosen(here, change(here, view="", add=ward))
    assert "may have ended" in here.get("/find", params={"q": "AB1 0AB"}).text
    for typed in ("zz99", "ZZ99 1", "zz991z"):
        assert "type all of it" in here.get("/find", params={"q": typed}).text
    assert change(here, view="", codes="AB1 0AA") == f"/find?areas={codes[7]}"
    assert "or a postcode" in here.get("/").text


def test_the_largest_real_place_comes_first(county: ServerSettings, tmp_path: Path) -> None:
    folder = tmp_path / "atlases"
    for name, about in (
        ("a", {"made_up": True, "n_areas": 900}),
        ("b", {"made_up": False, "n_areas": 5}),
        ("c", {"made_up": False, "n_areas": 50}),
    ):
        shutil.copytree(county.atlases / "county", folder / name)
        manifest = json.loads((folder / name / "atlas.json").read_text())
        (folder / name / "atlas.json").write_text(json.dumps(manifest | about))
    assert list(atlases(replace(county, atlas=folder))) == ["c", "b", "a"]
    assert find_atlas(replace(county, atlas=folder), "").key == "c"


def test_a_place_leads_to_the_other_figures_of_it(
    county: ServerSettings, tmp_path: Path, codes: list[str]
) -> None:
    folder = tmp_path / "atlases"
    for name in ("county", "elsewhere", "later"):
        shutil.copytree(county.atlases / "county", folder / name)
    table = pq.read_table(folder / "elsewhere" / "areas.parquet")
    other = pa.array([f"X{code}" for code in codes])
    pq.write_table(table.set_column(0, "code", other), folder / "elsewhere" / "areas.parquet")
    here = TestClient(create_app(replace(county, atlas=folder)), base_url=HERE)
    page = here.get("/neighbourhood", params={"base": "county", "areas": ",".join(codes[:2])}).text
    assert f'href="/neighbourhood?base=later&amp;areas={codes[0]},{codes[1]}"' in page
    assert "base=elsewhere" not in page
    assert 'href="/find?base=later"' in here.get("/").text


def test_the_foot_of_a_page_says_who_runs_it(county: ServerSettings) -> None:
    contact = Contact("help@example.org", "mailto:help@example.org")
    named = replace(county, operator="Northmarsh Council", contact=contact)
    pages = TestClient(create_app(named), base_url=HERE)
    for path in ("/", "/find", "/compare", "/help"):
        foot = pages.get(path).text.partition("<footer>")[2]
        assert "Run by Northmarsh Council." in foot
        assert "mailto:help@example.org" in foot
        assert re.search(r"Figures last updated on \d+ [A-Z][a-z]+ \d{4}", foot)
        for anchor in ("about", "privacy", "accessibility"):
            assert f'href="/help#{anchor}"' in foot
            assert f'id="{anchor}"' in pages.get("/help").text


def test_a_server_offers_only_what_it_has(settings: ServerSettings, county: ServerSettings) -> None:
    bare = TestClient(create_app(replace(settings, read_only=True)), base_url=HERE).get("/").text
    assert 'href="/find"' not in bare
    assert "/compare" not in bare
    assert "Published evaluations" not in bare
    reading = TestClient(create_app(replace(county, read_only=True)), base_url=HERE).get("/").text
    assert 'href="/find"' in reading
    assert "/compare" not in reading
    assert "Compare</h2>" not in reading


def test_values_and_tiles_are_sent_packed_by_range_and_kept_under_their_version(
    client: TestClient, county: ServerSettings
) -> None:
    atlas = find_atlas(county, "")
    address = "/atlases/county/values/crime/0.json?v="
    values = client.get(address + atlas.version("values/crime.0.json.gz"))
    tiles = client.get("/atlases/county/areas.pmtiles", headers={"range": "bytes=0-6"})
    names = client.get("/atlases/county/names.json?v=" + atlas.version("names.json.gz"))

    assert values.headers["content-encoding"] == "gzip"
    assert "immutable" in values.headers["cache-control"]
    assert client.get(address + "1").headers["cache-control"] == "no-cache"
    assert names.json() == [str(name) for name in atlas.table["name"]]
    assert tiles.status_code == 206
    assert tiles.content == b"PMTiles"


@pytest.mark.skipif(not render.vendor_hashes(), reason="`make assets` fetches the map's files.")
def test_third_party_files_are_as_their_hashes_say(client: TestClient) -> None:
    for name, hashed in render.vendor_hashes().items():
        answer = client.get(f"/vendor/{name}?v=6.17.0")  # as MapLibre asks for its worker

        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-cache"
        digest = base64.b64encode(hashlib.sha384(answer.content).digest()).decode()
        assert hashed == f"sha384-{digest}"


def test_a_link_keeps_the_whole_view(client: TestClient, codes: list[str]) -> None:
    address = f"/find?base=county&layer=antisocial_behaviour&period=2020&areas={codes[0]}&q=a"
    page = client.get(address).text
    links = [unescape(a) for a in re.findall(r'href="(/areas/[^"]+)"', page)]

    kept = dict(parse_qsl(urlsplit(links[0]).query))

    assert kept == {"base": "county", "layer": "antisocial_behaviour", "period": "2020", "areas": codes[0]}


def upload(client: TestClient, name: str, content: bytes, view: str = "") -> str:
    answer = client.post(
        "/find/upload", data={"view": view}, files={"file": (name, content)}, follow_redirects=False
    )
    assert answer.status_code == 303 or len(answer.content) <= limits.ERROR_BYTES
    return answer.headers.get("location", unescape(answer.text))


def polygon(corner: str) -> bytes:
    ring = f"[{corner}, [1, 2], [2, 2], {corner}]"
    return f'{{"type": "Polygon", "coordinates": [{ring}]}}'.encode()


def test_a_file_chooses_the_same_areas(client: TestClient, county: ServerSettings, codes: list[str]) -> None:
    table = f"name,area_code\nx,{codes[3]}\ny,{codes[9]}\n".encode()
    both = f"/find?areas={codes[3]},{codes[9]}"
    atlas = find_atlas(county, "")
    lon, lat = float(atlas.table["lon"][3]), float(atlas.table["lat"][3])
    ring = [[lon - 1e-4, lat - 1e-4], [lon + 1e-4, lat - 1e-4], [lon, lat + 1e-4]]
    shape = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}}

    assert upload(client, "a.csv", table) == both
    assert upload(client, "a.TXT", f"{codes[3]}\n{codes[9]}".encode()) == both
    for other in (table.decode().encode("utf-16"), table.replace(b",", b";")):
        assert upload(client, "a.csv", other) == both
    assert upload(client, "a.csv", table, f"areas={codes[3]}") == both
    drawn = upload(client, "a.geojson", json.dumps(shape).encode())
    assert chosen(client, drawn) == {codes[3]}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.exe", b"", "kind of file"),
        ("a.zip", b"PK", "kind of file"),
        ("a.csv", b"\xff\xfe\x00", "begins as UTF-16 but is not"),
        ("a.csv", b"\x81\x8d", "(?i)neither UTF-8 nor Windows-1252"),
        ("a.csv", b'"' + b"x" * 200_000, "never closed"),
        ("a.csv", b'area_code,note\nx,"a\ny,b\n', r"never closed .* \(line 2\)"),
        ("a.csv", b"area_code,note\nx,a,b\n", "Line 2 has too few or too many fields"),
        ("a.csv", b"%PDF-1.4", "is a PDF"),
        ("a.geojson", b"[" * 100_000, "not one polygon"),
        ("a.geojson", b'{"type": "MultiPolygon", "coordinates": [[[]], [[]]]}', "not one polygon"),
        ("a.csv", b"\n" * 60_000, "50,000 lines"),
        ("a.csv", b"\r" * 60_000, "50,000 lines"),
        ("a.csv", b"\x0b" * 2_000_000, "Close the quote, or shorten the cell"),
        ("a.geojson", polygon("[" + "9" * 4000 + ", 1]"), "not one closed outline"),
        ("a.geojson", polygon("[" + "9" * 5000 + ", 1]"), "not one polygon"),
        ("a.geojson", polygon("[1e400, 1]"), "not degrees"),
        ("a.geojson", polygon("[NaN, 1]"), "not degrees"),
        ("a.geojson", polygon("[417000, 5000]"), "not degrees"),
    ],
)
def test_a_file_beyond_a_limit_is_refused(client: TestClient, name: str, content: bytes, words: str) -> None:
    assert re.search(words, upload(client, name, content))


def test_a_public_server_takes_no_files(county: ServerSettings) -> None:
    public = TestClient(create_app(replace(county, read_only=True)), base_url=HERE)

    assert "/find/upload" not in public.get("/find").text
    assert "takes no files" in upload(public, "a.txt", b"S01000002")


def test_a_body_over_the_cap_is_refused_before_it_is_parsed(client: TestClient) -> None:
    body = b"x" * (limits.POST_BYTES + 1)

    for path in ("/find/change", "/find/upload", "/compare"):
        assert client.post(path, content=body).status_code == 413


def test_a_form_with_a_thousand_fields_is_refused(client: TestClient) -> None:
    form = {f"f{i}": "1" for i in range(1_001)}

    for path in ("/find/change", "/find/upload", "/compare"):
        assert client.post(path, data=form).status_code == 400
        parts = {name: (None, value) for name, value in form.items()}
        assert client.post(path, files=parts).status_code == 400


def test_numbers_of_any_length_are_no_address(client: TestClient) -> None:
    for number in ("9" * 5000, "-1", "1e3", "\u0663", "00000"):
        assert client.get(f"/atlases/county/values/crime/{number}.json").status_code == 404


def test_a_figure_stands_among_those_of_all_areas() -> None:
    values = np.array([*range(101), np.nan])
    assert standing_of(values, 95.0, "lower") == "higher than in 94% of areas, which is worse"
    assert standing_of(values, 70.0, "lower") == "higher than in 69% of areas", "no end is called better"
    assert standing_of(values, -5.0, "lower") == "lower than in 99% of areas, which is better"
    assert standing_of(values, np.nan, "lower") == ""
    assert standing_of(np.zeros(9), 0.0, "lower") == ""


def test_a_place_says_where_it_stands(client: TestClient, codes: list[str]) -> None:
    page = client.get("/neighbourhood", params={"areas": ",".join(codes[:3])}).text
    assert re.search(r"That is (higher|lower) than in \d+% of areas", page)
