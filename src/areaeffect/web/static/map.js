// The map: one vector source, one small array of values for each layer. What is shown is read from
// the data of #state, which the server writes; what is clicked or drawn goes back to the server.

import * as maplibregl from "/vendor/maplibre-gl.mjs";

const COLOURS = ["#ADD1F1", "#6BACE6", "#2073BC", "#12436D", "#092135"];
const SOURCE = { source: "areas", sourceLayer: "areas" };
const UNKNOWN = -1;
const MOST_CORNERS = 500;

const state = () => document.getElementById("state").dataset;
const read = (name) => JSON.parse(state()[name]);

export async function makeMap({ change, say }) {
  const protocol = new pmtiles.Protocol();
  maplibregl.addProtocol("pmtiles", protocol.tile);
  const values = fetch(state().values).then((answer) => answer.json());
  const map = new maplibregl.Map({
    container: "map",
    bounds: read("bounds"),
    maxBounds: grown(read("whole")),
    maxZoom: 15,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    fadeDuration: 0,
    attributionControl: false, // the lines are under the map, as text
    style: style(),
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-right");
  let shown = null;
  let numbers = null;

  async function paint(promise) {
    numbers = await promise;
    const breaks = read("breaks");
    for (let id = 0; id < numbers.length; id++) map.setFeatureState({ ...SOURCE, id }, { c: fifth(numbers[id], breaks) });
    shown = state().values;
  }

  function mark(fit) {
    const chosen = read("chosen");
    map.setFilter("chosen", ["in", ["get", "code"], ["literal", chosen]]);
    map.setFilter("found", ["in", ["get", "code"], ["literal", read("found")]]);
    map.setFilter("chosen-casing", ["in", ["get", "code"], ["literal", chosen]]);
    map.getSource("ring").setData(polygon(read("ring")));
    if (fit) map.fitBounds(read("bounds"), { animate: false, maxZoom: 13 });
  }

  async function update() {
    const away = mark.last !== state().bounds && !clicked;
    mark.last = state().bounds;
    clicked = false;
    mark(away);
    if (shown !== state().values) await paint(fetch(state().values).then((answer) => answer.json()));
  }

  let clicked = false;
  let drawing = null;
  // For whoever tests the page: what is drawn, when it was, and what the camera sees.
  map.on("idle", () => {
    const { lng, lat } = map.getCenter();
    const camera = [lng, lat, map.getZoom()].map((n) => n.toFixed(5)).join();
    if (numbers) Object.assign(map.getContainer().dataset, { shown, camera, idle: performance.now() });
  });
  await new Promise((resolve) => map.once("style.load", resolve));
  map.addImage("hatch", hatch());
  addMissing(map);
  mark.last = state().bounds;
  mark(false);
  map.on("click", "fill", (event) => {
    if (drawing) return;
    clicked = true;
    change({ toggle: event.features[0].properties.code });
  });
  const tip = tooltip(map);
  const describe = async (area, at) => {
    const name = (await names())[area.id] ?? area.properties.code;
    tip.show(name, figure(numbers?.[area.id], read("breaks"), state()), at);
  };
  map.on("mousemove", "fill", (event) => {
    map.getCanvas().style.cursor = "pointer";
    describe(event.features[0], event.point);
  });
  map.on("mouseleave", "fill", () => tip.hide());
  map.on("click", "fill", (event) => describe(event.features[0], event.point));
  byKeyboard(map, describe, tip, (code) => { clicked = true; change({ toggle: code }); });
  const button = document.getElementById("draw");
  button.hidden = false;
  button.addEventListener("click", async () => {
    if (drawing) { drawing.stop(); return; }
    drawing = await draw(map, {
      done: (ring) => {
        if (ring.length > MOST_CORNERS + 1) say(`The shape has over ${MOST_CORNERS} corners: draw it with fewer.`);
        else { clicked = true; change({ shape: JSON.stringify(ring) }); }
      },
      end: () => {
        setTimeout(() => { drawing = null; }, 300); // the click that closed the shape chooses nothing
        button.textContent = "Draw a shape"; button.setAttribute("aria-pressed", "false");
      },
    });
    map.getContainer().scrollIntoView({ block: "nearest" });
    button.textContent = "Stop drawing";
    button.setAttribute("aria-pressed", "true");
    say("Click the corners of your shape on the map; click the first corner again to close it.");
  });
  await paint(values);
  return { update };
}

function style() {
  const tiles = new URL(state().tiles, location.href).href;
  return {
    version: 8,
    sources: {
      areas: { type: "vector", url: `pmtiles://${tiles}` },
      ring: { type: "geojson", data: polygon([]) },
    },
    layers: [
      { id: "ground", type: "background", paint: { "background-color": "#ffffff" } },
      {
        id: "fill", type: "fill", source: "areas", "source-layer": "areas",
        paint: {
          "fill-antialias": false,
          "fill-color": ["match", ["coalesce", ["feature-state", "c"], UNKNOWN], ...COLOURS.flatMap((c, i) => [i, c]), "#f3f2f1"],
        },
      },
      {
        id: "borders", type: "line", source: "areas", "source-layer": "areas", minzoom: 10,
        paint: { "line-color": "#ffffff", "line-width": 0.7 },
      },
      council("councils-casing", "#ffffff", 3),
      council("councils", "#0b0c0c", 1),
      { id: "found", ...outline("#F46A25", 1.5) },
      { id: "chosen-casing", ...outline("#ffffff", 6) },
      { id: "chosen", ...outline("#F46A25", 3) },
      { id: "ring", type: "line", source: "ring", paint: { "line-color": "#801650", "line-width": 2, "line-dasharray": [3, 2] } },
      words("ward-names", "ward", 12, 12.2, "#0b0c0c"),
      words("council-names", "council", 14, 4, "#0b0c0c"),
    ],
  };
}

// Names of wards and councils, drawn by the browser's own font; the larger place is placed first.
function words(id, kind, size, minzoom, colour) {
  return {
    id, type: "symbol", source: "areas", "source-layer": "names", minzoom,
    filter: ["==", ["get", "kind"], kind],
    layout: {
      "text-field": ["get", "name"], "text-font": ["Arial, Helvetica, sans-serif"], "text-size": size,
      "text-max-width": 8, "text-padding": 4, "symbol-sort-key": ["-", 0, ["get", "areas"]],
    },
    paint: { "text-color": colour, "text-halo-color": "#ffffff", "text-halo-width": 2 },
  };
}

let listed = null;
function names() {
  listed ??= fetch(state().names).then((answer) => answer.json());
  return listed;
}

// A value as the table prints it, and which fifth of all areas that is.
function figure(value, breaks, { unit, fifths }) {
  if (value === null || value === undefined) return "missing: no figure";
  const size = Math.abs(value);
  const digits = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2;
  const number = value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const among = breaks.length === 4 ? `, ${JSON.parse(fifths)[fifth(value, breaks)]}` : "";
  return `${number} ${unit}${among}`.replace("-", "−");
}

// The name and figure of one area, beside the pointer, the finger or the middle of the map.
function tooltip(map) {
  const box = document.createElement("p");
  box.className = "tip";
  box.hidden = true;
  map.getContainer().append(box);
  const hide = () => { box.hidden = true; };
  map.on("movestart", hide);
  return {
    hide,
    show(name, text, { x, y }) {
      box.replaceChildren(Object.assign(document.createElement("strong"), { textContent: name }), text);
      box.hidden = false;
      const { clientWidth: width, clientHeight: height } = map.getContainer();
      box.style.left = `${Math.max(4, Math.min(x + 14, width - box.offsetWidth - 4))}px`;
      box.style.top = `${y + 18 + box.offsetHeight > height ? y - box.offsetHeight - 14 : y + 18}px`;
    },
  };
}

// With the keyboard the area in the middle is meant: arrows move the map, Enter chooses.
function byKeyboard(map, describe, tip, choose) {
  const canvas = map.getCanvas();
  const cross = document.createElement("div");
  cross.className = "cross";
  cross.hidden = true;
  map.getContainer().append(cross);
  canvas.setAttribute("aria-describedby", "under");
  const middle = () => {
    const { clientWidth, clientHeight } = map.getContainer();
    return { x: clientWidth / 2, y: clientHeight / 2 };
  };
  const area = () => map.queryRenderedFeatures([middle().x, middle().y], { layers: ["fill"] })[0];
  const tell = async () => {
    if (cross.hidden || !area()) return;
    await describe(area(), middle());
    document.getElementById("under").textContent = map.getContainer().querySelector(".tip").innerText.replace("\n", ": ");
  };
  canvas.addEventListener("focus", () => { cross.hidden = !canvas.matches(":focus-visible"); tell(); });
  canvas.addEventListener("blur", () => { cross.hidden = true; tip.hide(); });
  map.on("moveend", tell);
  canvas.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !area()) return;
    event.preventDefault();
    choose(area().properties.code);
  });
}

// Hatching for areas without a figure, under the borders: a second fill, seen only where c is -1.
function addMissing(map) {
  map.addLayer({
    id: "missing", type: "fill", source: "areas", "source-layer": "areas",
    paint: {
      "fill-pattern": "hatch", "fill-antialias": false,
      "fill-opacity": ["case", ["==", ["feature-state", "c"], UNKNOWN], 1, 0],
    },
  }, "borders");
}

function council(id, colour, width) {
  return {
    id, type: "line", source: "areas", "source-layer": "councils", layout: { "line-join": "round" },
    paint: { "line-color": colour, "line-width": ["interpolate", ["linear"], ["zoom"], 5, width * 0.2, 8, width * 0.7, 10, width * 1.3, 14, width * 2.2] },
  };
}

function outline(colour, width) {
  return {
    type: "line", source: "areas", "source-layer": "areas",
    filter: ["in", ["get", "code"], ["literal", []]],
    layout: { "line-join": "round" }, paint: { "line-color": colour, "line-width": width },
  };
}

function fifth(value, breaks) {
  if (value === null) return UNKNOWN;
  let i = 0;
  while (i < breaks.length && value >= breaks[i]) i++;
  return i;
}

function hatch() {
  const side = 8;
  const data = new Uint8Array(side * side * 4);
  for (let i = 0; i < side * side; i++) {
    const dark = ((i % side) + Math.floor(i / side)) % side < 2;
    data.set(dark ? [120, 120, 120, 255] : [243, 242, 241, 255], i * 4);
  }
  return { width: side, height: side, data };
}

function polygon(ring) {
  return { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: ring.length ? [[...ring, ring[0]]] : [] } };
}

function grown([west, south, east, north]) {
  const room = Math.max(east - west, north - south) / 2;
  return [west - room, south - room, east + room, north + room];
}

function load(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
}

async function draw(map, { done, end }) {
  if (!globalThis.terraDraw) {
    await load("/vendor/terra-draw.umd.js");
    await load("/vendor/terra-draw-maplibre-gl-adapter.umd.js");
  }
  const tool = new terraDraw.TerraDraw({
    adapter: new terraDrawMaplibreGlAdapter.TerraDrawMapLibreGLAdapter({ map, lib: maplibregl }),
    modes: [new terraDraw.TerraDrawPolygonMode()],
  });
  const stop = () => { tool.stop(); end(); };
  tool.start();
  tool.setMode("polygon");
  tool.on("finish", (id) => {
    const ring = tool.getSnapshotFeature(id).geometry.coordinates[0];
    stop();
    done(ring.slice(0, -1));
  });
  return { stop };
}
