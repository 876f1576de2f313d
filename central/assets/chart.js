// Charts over tables: what a block of figures looks like, drawn from the JSON beside its table. Without this file the
// tables are all there is, with the same figures. The one place that knows ECharts.
(() => {
  "use strict";
  if (!window.echarts) return;
  const root = document.documentElement;
  // Each has 3 : 1 at least against the card of its theme; a test reckons it.
  const COLOURS = {
    light: ["#0b5cad", "#b45309", "#0f766e", "#7c3aed", "#9d174d", "#4d5b6e"],
    dark: ["#7db4f0", "#f5b65c", "#5fd3c4", "#c4a5ff", "#ff9fc0", "#b6c2d2"],
  };
  const theme = root.dataset.theme === "dark" ? "dark" : "light";
  const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const still = "still" in root.dataset || matchMedia("(prefers-reduced-motion: reduce)").matches;

  // Fen are whole numbers up to here; a picture needs no more digits than a screen has.
  const shown = (value, fen) => (fen ? value / 100 : value);
  const axisText = (value) => Number(value).toLocaleString(root.lang);

  const tooltip = (data) => ({
    renderMode: "richText",
    trigger: data.shape === "pie" ? "item" : "axis",
    confine: true,
    backgroundColor: css("--card"),
    borderColor: css("--line"),
    textStyle: { color: css("--ink") },
    // The exact figures, as the table writes them.
    formatter: (points) => {
      const all = Array.isArray(points) ? points : [points];
      if (!all.length) return "";
      const at = all[0].dataIndex;
      const lines = data.series.filter((one, n) => data.shape !== "pie" || n === 0);
      return [data.labels[at], ...lines.map((one) => `${one.name}  ${one.texts[at]}`)].join("\n");
    },
  });

  // Long names read better from the side, each with room for its bars.
  const isLying = (data) => data.shape === "bars" && data.labels.some((label) => label.length > 10);
  const height = (data) => Math.max(220, 80 + data.labels.length * (16 + 18 * data.series.length));

  const axes = (data) => {
    const line = { lineStyle: { color: css("--line") } };
    const text = { color: css("--quiet") };
    const lying = isLying(data);
    const names = { type: "category", data: data.labels, axisLine: line, axisTick: line, axisLabel: { ...text, hideOverlap: true, width: lying ? 150 : undefined, overflow: "truncate" }, inverse: lying };
    const numbers = { type: "value", minInterval: 1, axisLabel: { ...text, formatter: axisText, hideOverlap: true }, splitLine: line };
    return lying ? { xAxis: numbers, yAxis: names } : { xAxis: names, yAxis: numbers };
  };

  const series = (data) => data.series.map((one, n) => {
    const values = one.values.map((value) => (value === null ? null : shown(value, one.fen)));
    if (data.shape === "bars") return { name: one.name, type: "bar", data: values, barMaxWidth: 36 };
    const dash = one.before ? { lineStyle: { type: "dashed", width: 2 }, symbol: "none" } : { lineStyle: { width: 2 } };
    return { name: one.name, type: "line", smooth: false, data: values, symbolSize: 6, z: one.before ? 1 : 2 + n, ...dash };
  });

  const pie = (data) => {
    const one = data.series[0];
    const parts = data.labels.map((name, at) => ({ name, value: Math.max(0, shown(one.values[at] || 0, one.fen)) }));
    return [{ type: "pie", radius: ["42%", "70%"], center: ["50%", "46%"], data: parts, label: { color: css("--ink"), overflow: "break", width: 110 }, itemStyle: { borderColor: css("--card"), borderWidth: 2 } }];
  };

  const options = (data) => ({
    animation: !still,
    color: COLOURS[theme],
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    // Patterns tell bars apart without colour; on lines they only disturb.
    aria: { enabled: true, decal: { show: data.shape === "bars" } },
    tooltip: tooltip(data),
    legend: { show: data.shape === "pie" || data.series.length > 1, type: "scroll", bottom: 0, textStyle: { color: css("--ink") }, pageTextStyle: { color: css("--ink") } },
    ...(data.shape === "pie" ? { series: pie(data) } : { grid: { left: 8, right: 16, top: 16, bottom: 40, containLabel: true }, ...axes(data), series: series(data) }),
  });

  for (const place of document.querySelectorAll("[data-chart]")) {
    const source = document.getElementById(place.dataset.chart);
    const table = document.getElementById(place.dataset.table);
    if (!source || !table) continue;
    const data = JSON.parse(source.textContent);
    if (!data.series.length) continue;
    place.hidden = false;
    if (isLying(data)) place.style.height = `${height(data)}px`;
    const chart = window.echarts.init(place, null, { renderer: "canvas" });
    chart.setOption(options(data));
    window.addEventListener("resize", () => chart.resize());
    window.addEventListener("beforeprint", () => chart.resize());
    // The table is one press away, and back.
    const toggle = document.createElement("button");
    toggle.type = "button";
    toggle.className = "button toggle";
    const turn = (isTable) => {
      table.hidden = !isTable;
      place.hidden = isTable;
      toggle.textContent = isTable ? place.dataset.toChart : place.dataset.toTable;
      if (!isTable) chart.resize();
    };
    toggle.addEventListener("click", () => turn(table.hidden));
    place.before(toggle);
    turn(false);
  }
})();
