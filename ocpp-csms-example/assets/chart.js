// Charts: <figure class="chart" data-chart='{"x": [seconds], "series": [{"label", "unit", "values", "bars"}]}'>.
// The table beside each says the same.
"use strict";

(() => {
  const colours = ["--series-1", "--series-2", "--series-3", "--series-4"];
  const drawn = [];
  const value = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // As many names as there is room for, the last one among them.
  function thinned(plot, data) {
    const longest = Math.max(...data.names.map((name) => name.length));
    const room = Math.max(1, Math.floor((plot.width - 80) / (8 * longest + 12)));
    const step = Math.ceil(data.x.length / room);
    return data.x.filter((at) => (data.x.length - 1 - at) % step === 0);
  }

  function draw(figure) {
    let data;
    try {
      data = JSON.parse(figure.dataset.chart);
    } catch {
      return;
    }
    const place = figure.querySelector(".plot");
    if (!place || data.x.length === 0) return;
    const named = Array.isArray(data.names);
    const axis = { stroke: value("--soft"), grid: { stroke: value("--line"), width: 1 }, ticks: { stroke: value("--line"), width: 1 } };
    const units = [...new Set(data.series.map((series) => series.unit || ""))];
    const options = {
      width: place.clientWidth || 600,
      height: Number(figure.dataset.height) || 240,
      legend: { show: true },
      scales: { x: { time: !named, range: named ? (_, low, high) => [low - 0.6, high + 0.6] : undefined } },
      axes: [
        named ? { ...axis, grid: { show: false }, splits: (plot) => thinned(plot, data), values: (_, splits) => splits.map((at) => data.names[at] ?? "") } : axis,
        ...units.slice(0, 2).map((unit, index) => ({ ...axis, scale: unit || "y", side: index === 0 ? 3 : 1, label: unit, labelSize: 20, size: 55, grid: index === 0 ? axis.grid : { show: false } })),
      ],
      series: [
        named ? { label: " ", value: (_, at) => data.names[at] ?? "–" } : { value: "{YYYY}-{MM}-{DD} {HH}:{mm}" },
        ...data.series.map((series, index) => {
          const colour = value(colours[index % colours.length]);
          const shape = { label: series.label, scale: series.unit || "y", stroke: colour, width: 2, spanGaps: true, value: (_, number) => (number === null || number === undefined ? "–" : number + (series.unit ? " " + series.unit : "")) };
          if (series.bars) {
            shape.paths = uPlot.paths.bars({ size: [0.7, 60] });
            shape.fill = colour;
            shape.points = { show: false };
          } else if (series.steps) {
            shape.paths = uPlot.paths.stepped({ align: 1 });
            shape.points = { show: false };
          } else if (data.series.length === 1) {
            shape.fill = colour + "22";
          }
          return shape;
        }),
      ],
    };
    // A scale that begins elsewhere than at nothing misleads.
    for (const unit of units) options.scales[unit || "y"] = { range: (_, low, high) => [Math.min(0, low), (high > 0 ? high : 1) * 1.08] };
    place.textContent = "";
    const plot = new uPlot(options, [data.x, ...data.series.map((series) => series.values)], place);
    drawn.push({ plot, place, figure });
  }

  function all() {
    for (const { plot } of drawn.splice(0)) plot.destroy();
    document.querySelectorAll("figure.chart[data-chart]").forEach(draw);
  }

  window.addEventListener("resize", () => {
    for (const { plot, place } of drawn) plot.setSize({ width: place.clientWidth, height: plot.height });
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.querySelector("figure.chart")) all();
  });
  all();
})();
