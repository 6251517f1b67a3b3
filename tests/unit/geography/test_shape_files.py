"""Files of shapes: named kinds only, and shapes that are what they say."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from pathlib import Path

import numpy as np
import pytest
import shapely

from areaeffect.errors import DataError
from areaeffect.geography.boundaries import read_boundaries
from areaeffect.geography.codes import centres_of
from areaeffect.geography.shape_files import mended, read_shape_file

N = 6
CODES = np.array([f"T{i:03d}" for i in range(N)])


def square(i: int) -> list[list[float]]:
    west, south = -1.5 + 0.005 * i, 54.5
    east, north = west + 0.005, south + 0.005
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def write(folder: Path, geometries: list[dict[str, object]], crs: str | None = None) -> Path:
    collection: dict[str, object] = {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": {"code": str(code)}, "geometry": geometry}
            for code, geometry in zip(CODES, geometries, strict=True)
        ],
    }
    if crs is not None:
        collection["crs"] = {"type": "name", "properties": {"name": crs}}
    path = folder / "b.geojson"
    path.write_text(json.dumps(collection))
    return path


def polygons(ring_of_first: list[list[float]] | None = None) -> list[dict[str, object]]:
    rings = [square(i) for i in range(N)]
    rings[0] = rings[0] if ring_of_first is None else ring_of_first
    return [{"type": "Polygon", "coordinates": [ring]} for ring in rings]


def fault(path: Path, crs: str | None = None) -> str:
    with pytest.raises(DataError) as caught:
        read_boundaries(path, "code", CODES, crs)
    return str(caught.value).replace(f"{path.parent}/", "")


def test_squares_are_read_in_metres(tmp_path: Path) -> None:
    found = read_boundaries(write(tmp_path, polygons()), "code", CODES)
    assert found.crs == "EPSG:27700"
    assert found.notes == ("b.geojson: 6 rows read, 6 kept, 0 left out.",)
    assert found.outlines[0].area == pytest.approx(324 * 556, rel=0.02)


def test_a_bow_tie_a_point_a_line_and_a_spike_are_named(tmp_path: Path) -> None:
    first = square(0)
    bow = [first[0], first[2], first[1], first[3], first[0]]
    assert "area T000: the shape is not valid: it crosses itself" in fault(write(tmp_path, polygons(bow)))
    spike = [first[0], first[1], first[0], first[0]]
    assert "area T000: the shape is not valid" in fault(write(tmp_path, polygons(spike)))
    point = [{"type": "Point", "coordinates": first[0]}, *polygons()[1:]]
    assert "area T000: a Point is not an area." in fault(write(tmp_path, point))
    line = [{"type": "LineString", "coordinates": first[:3]}, *polygons()[1:]]
    assert "area T000: a LineString is not an area." in fault(write(tmp_path, line))


def test_parts_that_meet_along_a_line_are_one_shape_and_overlapping_ones_are_named(tmp_path: Path) -> None:
    west, south = -1.5, 54.6
    parts = [[[[x, south], [x + 1e-2, south], [x + 1e-2, south + 1e-2], [x, south + 1e-2], [x, south]]]
             for x in (west, west + 1e-2)]  # fmt: skip
    two = {"type": "MultiPolygon", "coordinates": parts}
    found = read_boundaries(write(tmp_path, [two, *polygons()[1:]]), "code", CODES)
    assert found.outlines[0].is_valid
    assert found.outlines[0].area == pytest.approx(2 * 647 * 1113, rel=0.02)
    assert any("area T000" in note and "repaired" in note for note in found.notes)
    across = [[[[x + 5e-3, y] for x, y in ring] for ring in part] for part in parts[:1]]
    overlapping = {"type": "MultiPolygon", "coordinates": [parts[0], *across]}
    assert "area T000: the shape is not valid" in fault(write(tmp_path, [overlapping, *polygons()[1:]]))


def test_a_shape_that_touches_itself_is_mended_and_named(tmp_path: Path) -> None:
    (w, s), _, (e, n), *_ = square(0)
    middle = [(w + e) / 2, (s + n) / 2]
    ring = [[w, s], middle, [e, s], [e, n], middle, [w, n], [w, s]]
    found = read_boundaries(write(tmp_path, polygons(ring)), "code", CODES)
    assert len(found.notes) == 2
    assert "area T000: it touches itself" in found.notes[0]


def test_coordinates_that_are_not_what_the_file_says_are_refused(tmp_path: Path) -> None:
    metres = polygons([[400_000.0, 5e5], [400_300, 5e5], [400_300, 500_300], [400_000.0, 5e5]])
    all_metres = [{**metres[0]} for _ in range(N)]
    assert "looks like British National Grid" in fault(write(tmp_path, all_metres))
    assert "look like longitude and latitude" in fault(
        write(tmp_path, polygons(), "urn:ogc:def:crs:EPSG::27700")
    )
    swapped = [{"type": "Polygon", "coordinates": [[[y, x] for x, y in square(i)]]} for i in range(N)]
    assert "the wrong way round" in fault(write(tmp_path, swapped))
    assert "area T000 lies far from all others" in fault(write(tmp_path, [swapped[0], *polygons()[1:]]))


def test_a_shape_that_covers_other_areas_is_named(tmp_path: Path) -> None:
    huge = [[-8.0, 50.0], [1.0, 50.0], [1.0, 58.0], [-8.0, 58.0], [-8.0, 50.0]]
    said = fault(write(tmp_path, polygons(huge)))
    assert "area T000: the shape covers 5 other areas, such as T001." in said


def test_a_generalised_outline_may_drop_the_hole_around_one_area(tmp_path: Path) -> None:
    wide = [[-1.51, 54.49], [-1.494, 54.49], [-1.494, 54.51], [-1.51, 54.51], [-1.51, 54.49]]
    shapes: list[dict[str, object]] = [{"type": "Polygon", "coordinates": [wide]}]
    shapes += [{"type": "Polygon", "coordinates": [square(i)]} for i in (0, 3, 4, 5, 6)]
    assert len(read_boundaries(write(tmp_path, shapes), "code", CODES).outlines) == N


def test_two_areas_with_one_outline_are_named(tmp_path: Path) -> None:
    said = fault(write(tmp_path, polygons(square(1))))
    assert "area T000: the shape covers 1 other areas, such as T001." in said


def test_an_area_around_another_is_no_cover(tmp_path: Path) -> None:
    around = [[-1.51, 54.49], [-1.49, 54.49], [-1.49, 54.51], [-1.51, 54.51], [-1.51, 54.49]]
    hole = [[-1.5, 54.5], [-1.495, 54.5], [-1.495, 54.505], [-1.5, 54.505], [-1.5, 54.5]]
    shapes: list[dict[str, object]] = [{"type": "Polygon", "coordinates": [around, hole]}]
    shapes += [{"type": "Polygon", "coordinates": [square(i)]} for i in (0, 3, 4, 5, 6)]
    assert len(read_boundaries(write(tmp_path, shapes), "code", CODES).outlines) == N


def test_a_sliver_is_named(tmp_path: Path) -> None:
    sliver = [[-1.4, 54.5], [-1.4, 54.5000001], [-1.3999999, 54.5], [-1.4, 54.5]]
    said = fault(write(tmp_path, polygons(sliver)))
    assert "b.geojson, area T000: the shape covers 3.6e-05 square metres." in said


def test_an_area_with_the_sign_of_its_longitude_wrong_is_named(tmp_path: Path) -> None:
    codes = np.array([f"T{i:03d}" for i in range(30)])
    features = []
    for i, code in enumerate(codes):
        ring = [[-x if i == 4 else x, y] for x, y in square(i)]
        shape = {"type": "Polygon", "coordinates": [ring]}
        properties = {"code": str(code)}
        features.append({"type": "Feature", "properties": properties, "geometry": shape})
    path = tmp_path / "b.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    with pytest.raises(DataError, match="area T004 lies far from all others"):
        read_boundaries(path, "code", codes)


def test_an_area_drawn_in_two_features_is_put_together_and_said(tmp_path: Path) -> None:
    path = write(tmp_path, polygons())
    content = json.loads(path.read_text())
    island = {"type": "Polygon", "coordinates": [square(20)]}
    properties = {"code": "T003"}
    content["features"].append({"type": "Feature", "properties": properties, "geometry": island})
    path.write_text(json.dumps(content))
    found = read_boundaries(path, "code", CODES)
    assert found.outlines[3].area == pytest.approx(2 * found.outlines[2].area, rel=0.01)
    assert found.notes == (
        "b.geojson: 7 rows read, 7 kept, 0 left out.",
        "b.geojson: 1 area is drawn in several features, put together here (T003).",
    )


def test_a_ring_that_is_not_closed_is_named(tmp_path: Path) -> None:
    said = fault(write(tmp_path, polygons(square(0)[:4])))
    assert "feature 1: a ring of the shape is not closed" in said


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "b.geojson",
            b"<OGRVRTDataSource><OGRVRTLayer name='x'><SrcDataSource>/etc/hostname"
            b"</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>",
        ),
        ("b.kml", b"<?xml version='1.0'?><kml><NetworkLink><Link/></NetworkLink></kml>"),
        ("b.gpkg", b"not a database"),
        ("b.shp", b"<html>log in</html>"),
    ],
)
def test_a_file_that_names_other_files_or_is_none_of_the_kinds_is_refused(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match="Virtual files, which name other files or addresses"):
        read_shape_file(tmp_path / name)


def test_a_database_with_a_virtual_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "b.gpkg"
    with sqlite3.connect(path) as database:
        database.execute("CREATE VIRTUAL TABLE t USING fts5(x)")
    database.close()
    with pytest.raises(DataError, match="Virtual files"):
        read_shape_file(path)


def test_kml_and_a_zip_are_read(tmp_path: Path) -> None:
    ring = " ".join(f"{x},{y}" for x, y in square(0))
    kml = (
        '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2">'
        "<Document><Placemark><name>Estate</name><Polygon><outerBoundaryIs><LinearRing>"
        f"<coordinates>{ring}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>"
        "</Document></kml>"
    )
    (tmp_path / "b.kml").write_text(kml)
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as packed:
        packed.write(write(tmp_path, polygons()), "deep/b.geojson")
        packed.writestr("__MACOSX/deep/._b.geojson", b"\x00\x05\x16\x07")  # as a Mac packs a folder
    assert len(read_shape_file(tmp_path / "b.kml")) == 1
    assert len(read_shape_file(tmp_path / "b.zip")) == N


def test_of_several_layers_the_one_with_the_codes_is_read_and_two_are_refused(tmp_path: Path) -> None:
    areas = read_shape_file(write(tmp_path, polygons()))
    path = tmp_path / "b.gpkg"
    areas[:2].rename(columns={"code": "ward"}).to_file(path, layer="wards")
    areas.to_file(path, layer="areas")
    assert len(read_boundaries(path, "code", CODES).outlines) == N
    with pytest.raises(DataError, match="the file holds 2 layers: wards, areas"):
        read_shape_file(path)
    areas.to_file(path, layer="more")
    assert "the file holds 3 layers: wards, areas, more." in fault(path)


def test_a_part_inside_another_part_is_counted_once_and_said() -> None:
    outer, inner = shapely.box(0, 0, 10, 10), shapely.box(2, 2, 4, 4)
    shapes = np.array([shapely.MultiPolygon([outer, inner])], dtype=object)
    kept, notes, problems = mended(shapes, ["E01000001"], Path("areas.geojson"))
    assert (kept[0].area, problems) == (100.0, [])
    assert "a part of it lies inside another part" in notes[0]


def test_a_part_inside_another_is_a_hole_where_an_area_fills_it() -> None:
    outer, inner = shapely.box(0, 0, 10, 10), shapely.box(4, 4, 6, 6)
    shapes = np.array([shapely.MultiPolygon([outer, inner]), inner], dtype=object)
    kept, notes, problems = mended(shapes, ["E01000001", "E01000002"], Path("areas.geojson"))
    assert ([s.area for s in kept], problems) == ([96.0, 4.0], [])
    assert len(notes) == 1


def moved(change: tuple[float, float]) -> list[dict[str, object]]:
    rings = [[[x * change[0], y * change[1]] for x, y in square(i)] for i in range(N)]
    return [{"type": "Polygon", "coordinates": [ring]} for ring in rings]


def test_outlines_in_the_sea_with_another_sign_on_land_are_refused(tmp_path: Path) -> None:
    assert "the longitudes have the wrong sign" in fault(write(tmp_path, moved((-1, 1))))
    assert "the latitudes have the wrong sign" in fault(write(tmp_path, moved((1, -1))))


def _of_codes(folder: Path, codes: list[str], corners: list[tuple[float, float]]) -> str | None:
    features = [
        {
            "type": "Feature",
            "properties": {"code": code},
            "geometry": shapely.geometry.mapping(shapely.box(x, y, x + 0.004, y + 0.003)),
        }
        for code, (x, y) in zip(codes, corners, strict=True)
    ]
    path = folder / "c.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    try:
        return " ".join(read_boundaries(path, "code", np.array(codes)).notes)
    except DataError as error:
        return str(error)


def test_outlines_are_held_against_where_areas_of_their_codes_lie(tmp_path: Path) -> None:
    codes = ["E01000001", "E01001100", "E01001500", "E01002000", "E01002600", "E01003000"]
    places = centres_of(np.array(codes))
    assert np.isfinite(places).all()
    corners = [(float(x), float(y)) for x, y in places]
    assert "lie about" not in str(_of_codes(tmp_path, codes, corners))
    flipped = [(-x, y) for x, y in corners]
    assert "the longitudes have the wrong sign" in str(_of_codes(tmp_path, codes, flipped))
    away = [*corners[:-1], (corners[-1][0] - 2.0, corners[-1][1])]
    assert "area E01003000 is drawn 139 km from where it lies" in str(_of_codes(tmp_path, codes, away))
    elsewhere = [(x - 2.0, y) for x, y in corners]
    assert "the outlines lie about 138 km from where" in str(_of_codes(tmp_path, codes, elsewhere))


def test_the_centre_of_an_msoa_is_that_of_its_areas() -> None:
    city, none = centres_of(np.array(["E02000001", "S02000001"]))
    assert city.tolist() == pytest.approx([-0.09, 51.52], abs=0.02)
    assert np.isnan(none).all()


@pytest.mark.parametrize("crs", ["urn:ogc:def:crs:EPSG::99999", "my own grid"])
def test_an_unknown_reference_system_is_refused(tmp_path: Path, crs: str) -> None:
    said = fault(write(tmp_path, polygons(), crs))
    assert said.startswith(f"b.geojson, crs: '{crs}' is no reference system that is known.")


@pytest.mark.parametrize("crs", ["urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326"])
def test_reference_systems_in_degrees_are_read(tmp_path: Path, crs: str) -> None:
    assert read_boundaries(write(tmp_path, polygons(), crs), "code", CODES).crs == "EPSG:27700"


def test_a_corner_that_is_no_number_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, polygons())
    path.write_text(path.read_text().replace("-1.495", "NaN", 1))
    assert "area T000: a corner is not a number" in fault(path)


def test_an_outline_far_apart_is_named(tmp_path: Path) -> None:
    shapes = polygons([[x + 1.0, y] for x, y in square(0)])
    notes = read_boundaries(write(tmp_path, shapes), "code", CODES).notes
    assert any("1 outlines lie far apart from the others (T000)" in n for n in notes)
