"use strict";

// Everything shown comes from the scheduler's server-sent events; nothing is changed from here.

const byId = (id) => document.getElementById(id);
// Windows that are charted, and turns, in seconds.
const CHARTED_SECONDS = 300, TURNS_MS = 1000;
const WIDTH = 520, HEIGHT = 200, LEFT = 44, BOTTOM = 18;

let sources = [], windows = [], turns = [], job = null, front = null, turnsBoard = "";

function cell(row, what, kind) {
  const td = row.insertCell();
  if (what instanceof Node) td.append(what); else td.textContent = what;
  if (kind) td.className = kind;
  return td;
}

function link(name) {
  const a = document.createElement("a");
  a.href = "#" + encodeURIComponent(name);
  a.textContent = name;
  return a;
}

const watts = (value) => value == null ? "–" : value.toFixed(1) + " W";
const ms = (seconds) => seconds == null ? "–" : (1000 * seconds).toFixed(0) + " ms";
const share = (part, whole) => whole ? (100 * part / whole).toFixed(2) + " %" : "–";

function showFleet(fleet) {
  const drawn = fleet.boards.reduce((sum, b) => sum + (b.window?.power_watts ?? 0), 0);
  byId("site").textContent = fleet.boards.length + " boards draw " + watts(drawn) +
    (fleet.site_watts == null ? "" : " of " + watts(fleet.site_watts) + " that the site may");
  byId("boards").replaceChildren();
  for (const board of fleet.boards) {
    const row = byId("boards").insertRow(), w = board.window;
    cell(row, board.name);
    cell(row, board.state, board.state);
    cell(row, board.job ? link(board.job) : "–");
    const over = w?.power_watts > 1.03 * board.budget_watts && board.budget_watts != null;
    cell(row, watts(w?.power_watts) + (board.budget_watts == null ? "" : " of " + watts(board.budget_watts)),
      over ? "over" : "");
    cell(row, ms(w?.longest_latency_seconds));
    cell(row, share(w?.late_requests, w?.requests), w?.late_requests > 0.01 * w?.requests ? "over" : "");
    cell(row, board.message);
  }
  byId("jobs").replaceChildren();
  for (const one of fleet.jobs) {
    const row = byId("jobs").insertRow();
    cell(row, link(one.name));
    cell(row, one.state, one.state);
    cell(row, one.message);
  }
}

function showJob(now) {
  const plansChanged = JSON.stringify(job?.plans) !== JSON.stringify(now.plans);
  job = now;
  byId("job-title").textContent = now.name + ": " + now.state;
  byId("job-message").textContent = now.message;
  byId("plans").replaceChildren();
  for (const { board, plan, origin, measurements } of now.plans) {
    const row = byId("plans").insertRow();
    cell(row, board);
    cell(row, Object.entries(plan.mode).map(([knob, level]) => knob + " " + level).join(", "));
    cell(row, plan.workloads.map((w) => w.workload + " " + w.kind + " " + w.batch_size).join(", "));
    cell(row, plan.throughput_hertz.toFixed(2));
    cell(row, watts(plan.peak_power_watts));
    cell(row, plan.peak_latency_seconds ? ms(plan.peak_latency_seconds) : "–");
    cell(row, origin + (measurements ? ", " + measurements + " measured" : ""));
  }
  byId("events").replaceChildren(...now.events.map((event) => {
    const item = document.createElement("li"), time = document.createElement("time");
    const at = new Date(event.at_ms);
    time.dateTime = at.toISOString();
    time.textContent = at.toLocaleTimeString();
    item.append(time, (event.board ? event.board + ": " : "") + event.what);
    return item;
  }));
  if (plansChanged) {
    askForFront();
    chooseTurns();
  }
  draw();
}

function askForFront() {
  const name = job.name;
  fetch("jobs/" + encodeURIComponent(name) + "/front").then((answer) => answer.json()).then((given) => {
    if (job?.name === name) { front = given; draw(); }
  }).catch(() => {});
}

function chooseTurns() {
  const boards = job.plans.map((plan) => plan.board), chooser = byId("turns-board");
  chooser.replaceChildren(...boards.map((board) => new Option(board, board)));
  if (!boards.includes(turnsBoard)) turnsBoard = boards[0] ?? "";
  chooser.value = turnsBoard;
  followTurns();
}

// Charts.

function svg(name, attributes, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text != null) node.textContent = text;
  return node;
}

// A chart of `series` ({name, points: [[x, y]]}) with a budget line; gives its node and scales.
function chart(into, series, { x: [x0, x1], y: [y0, y1], budget, budgetX, words, ticks, dots }) {
  const sx = (x) => LEFT + (x - x0) / ((x1 - x0) || 1) * (WIDTH - LEFT - 8);
  const sy = (y) => HEIGHT - BOTTOM - (y - y0) / ((y1 - y0) || 1) * (HEIGHT - BOTTOM - 8);
  const node = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words });
  for (let i = 0; i <= 4; i++) {
    const y = y0 + (y1 - y0) * i / 4;
    node.append(svg("line", { class: "axis", x1: LEFT, x2: WIDTH - 8, y1: sy(y), y2: sy(y) }),
      svg("text", { x: LEFT - 6, y: sy(y) + 4, "text-anchor": "end" }, y.toPrecision(3)));
  }
  for (const [x, text] of ticks) node.append(svg("text", { x: sx(x), y: HEIGHT - 3, "text-anchor": "middle" }, text));
  if (budget != null) node.append(svg("line", { class: "budget", x1: LEFT, x2: WIDTH - 8, y1: sy(budget), y2: sy(budget) }));
  if (budgetX != null) node.append(svg("line", { class: "budget", x1: sx(budgetX), x2: sx(budgetX), y1: 8, y2: HEIGHT - BOTTOM }));
  series.forEach(({ name, points }, i) => {
    const path = svg("path", { class: "s" + i % 3, d: points.map(([x, y], k) => (k ? "L" : "M") + sx(x).toFixed(1) + " " + sy(y).toFixed(1)).join("") });
    path.append(svg("title", {}, name));
    node.append(path);
    if (dots) for (const [x, y] of points) node.append(svg("circle", { class: "s" + i % 3, cx: sx(x), cy: sy(y), r: 3 }));
  });
  byId(into).replaceChildren(node);
  return { node, sx, sy };
}

function overTime(into, value, budget, what) {
  const now = Date.now(), byBoard = new Map();
  for (const w of windows) {
    const y = value(w);
    if (y == null) continue;
    if (!byBoard.has(w.board)) byBoard.set(w.board, []);
    byBoard.get(w.board).push([(w.ended_at_ms - now) / 1000, y]);
  }
  const series = [...byBoard].map(([name, points]) => ({ name, points }));
  const all = series.flatMap((s) => s.points.map((p) => p[1]));
  const last = all.length ? all[all.length - 1].toPrecision(3) : "nothing yet";
  const top = 1.1 * Math.max(budget ?? 0, ...all, 0.001);
  chart(into, series, {
    x: [-CHARTED_SECONDS, 0], y: [0, top], budget,
    words: `${what}: lately ${last}` + (budget == null ? "" : `, budget ${budget.toPrecision(3)}`),
    ticks: [[-240, "4 min ago"], [-120, "2 min ago"], [-15, "now"]],
  });
}

function drawFront() {
  const choices = front?.choices ?? [];
  const chosen = job.plans.find((plan) => plan.board === front?.board) ?? job.plans[0];
  if (!choices.length) { byId("front").textContent = "not known yet"; return; }
  const points = choices.map(({ plan }) => [plan.peak_power_watts, plan.throughput_hertz]);
  const all = chosen ? [...points, [chosen.plan.peak_power_watts, chosen.plan.throughput_hertz]] : points;
  const budget = chosen?.problem.power_watts;
  const xs = [...all.map((p) => p[0]), budget ?? all[0][0]];
  const [low, high] = [Math.min(...xs), Math.max(...xs)], room = 0.05 * (high - low) + 0.1;
  const { node, sx, sy } = chart("front", [{ name: "front", points }], {
    x: [low - room, high + room], y: [0, 1.1 * Math.max(...all.map((p) => p[1]), 0.001)], budgetX: budget, dots: true,
    words: `${points.length} plans from ${low.toFixed(1)} to ${high.toFixed(1)} W`,
    ticks: [[low, low.toFixed(1) + " W"], [high, high.toFixed(1) + " W"]],
  });
  if (chosen) node.append(svg("circle", { class: "ring", r: 7, cx: sx(chosen.plan.peak_power_watts), cy: sy(chosen.plan.throughput_hertz) }));
}

function drawTurns() {
  const names = [...new Set(turns.map((turn) => turn.workload + " " + turn.kind))].sort();
  if (!names.length) { byId("turns").textContent = "none seen yet"; return; }
  const end = Math.max(...turns.map((turn) => turn.began_ms + turn.took_ms)), begin = end - TURNS_MS;
  const node = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img",
    "aria-label": names.map((name) => `${name}: ${turns.filter((t) => t.workload + " " + t.kind === name).length} turns`).join(", ") });
  const height = (HEIGHT - BOTTOM) / names.length;
  names.forEach((name, i) => node.append(svg("text", { x: 0, y: i * height + 12 }, name)));
  for (const turn of turns) {
    const i = names.indexOf(turn.workload + " " + turn.kind);
    const x = (turn.began_ms - begin) / TURNS_MS * WIDTH, width = Math.max(turn.took_ms / TURNS_MS * WIDTH, 0.8);
    const block = svg("rect", { class: "s" + i % 3 + (turn.late_requests ? " late" : ""), x, width,
      y: i * height + 18, height: Math.max(height - 24, 4), "stroke-width": 0.3 });
    block.append(svg("title", {}, `${name(turn)}, ${turn.took_ms.toFixed(1)} ms`));
    node.append(block);
  }
  node.append(svg("text", { x: 0, y: HEIGHT - 3 }, "1 s ago"), svg("text", { x: WIDTH, y: HEIGHT - 3, "text-anchor": "end" }, "now"));
  byId("turns").replaceChildren(node);
}

const name = (turn) => turn.workload + " " + turn.kind + (turn.requests ? ", " + turn.requests + " requests" : "");

function draw() {
  if (!job) return;
  const problem = job.plans[0]?.problem ?? job.spec.problem;
  overTime("power", (w) => w.power_watts, problem?.power_watts, "power in W");
  overTime("latency", (w) => w.longest_latency_seconds == null ? null : 1000 * w.longest_latency_seconds,
    problem?.infer ? 1000 * problem.latency_seconds : null, "latency in ms");
  drawFront();
}

// Where the news come from.

function follow(path, heard) {
  const source = new EventSource(path);
  source.onopen = () => { byId("link").textContent = "live"; };
  source.onerror = () => { byId("link").textContent = "the scheduler does not answer; trying again"; };
  source.addEventListener("trouble", (event) => { byId("link").textContent = JSON.parse(event.data); });
  for (const [kind, hear] of Object.entries(heard)) {
    source.addEventListener(kind, (event) => hear(JSON.parse(event.data)));
  }
  return source;
}

let turnsSource = null;
function followTurns() {
  turnsSource?.close();
  turns = [];
  drawTurns();
  if (!turnsBoard) return;
  turnsSource = follow("boards/" + encodeURIComponent(turnsBoard) + "/turns", {
    turns: (more) => {
      turns.push(...more);
      const end = Math.max(...turns.map((turn) => turn.began_ms + turn.took_ms));
      turns = turns.filter((turn) => turn.began_ms + turn.took_ms > end - TURNS_MS);
      drawTurns();
    },
  });
}

function route() {
  sources.forEach((source) => source.close());
  turnsSource?.close();
  [windows, turns, job, front, turnsBoard] = [[], [], null, null, ""];
  const name = decodeURIComponent(location.hash.slice(1));
  byId("job").hidden = !name;
  sources = [follow("fleet", { fleet: showFleet })];
  if (!name) return;
  byId("job-title").textContent = name;
  sources.push(follow("jobs/" + encodeURIComponent(name), {
    job: showJob,
    windows: (more) => {
      windows.push(...more);
      windows = windows.filter((w) => w.ended_at_ms > Date.now() - 1000 * CHARTED_SECONDS);
      draw();
    },
  }));
}

byId("turns-board").addEventListener("change", (event) => { turnsBoard = event.target.value; followTurns(); });
addEventListener("hashchange", route);
route();
