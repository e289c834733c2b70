// Draws the figures that the server sent and keeps a page that is not final up to date.
(() => {
  "use strict";
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const SLOWER_AFTER_ERROR = 3;
  const PAPER_WIDTH = 640;
  let failures = 0;

  root.classList.add("js");

  const figures = () => {
    const place = document.getElementById("figures");
    return place ? JSON.parse(place.textContent) : [];
  };

  // "@canary" is a colour of the style sheet: light, dark and print each have their own.
  const painted = (value, styles) => {
    if (typeof value === "string") {
      return value.startsWith("@") ? styles.getPropertyValue("--" + value.slice(1)).trim() : value;
    }
    if (Array.isArray(value)) return value.map((one) => painted(one, styles));
    if (value === null || typeof value !== "object") return value;
    const copy = {};
    for (const [key, one] of Object.entries(value)) {
      copy[key] = key === "x" || key === "y" ? one : painted(one, styles);
    }
    return copy;
  };

  const draw = (width) => {
    if (!window.Plotly) return;
    const styles = getComputedStyle(root);
    const text = styles.getPropertyValue("--text").trim();
    const card = styles.getPropertyValue("--card").trim();
    for (const figure of figures()) {
      const place = document.querySelector(`[data-chart="${CSS.escape(figure.id)}"]`);
      if (!place) continue;
      const layout = painted(figure.layout, styles);
      layout.paper_bgcolor = "rgba(0,0,0,0)";
      layout.plot_bgcolor = "rgba(0,0,0,0)";
      layout.font = { family: getComputedStyle(document.body).fontFamily, size: 12, color: text };
      layout.hoverlabel = { bgcolor: card, font: { color: text } };
      layout.autosize = !width;
      if (width) {
        layout.width = width;
        layout.height = figure.paper ?? layout.height;
      }
      const options = { responsive: true, displayModeBar: false };
      window.Plotly.react(place, painted(figure.data, styles), layout, options);
    }
  };

  const charts = (page) =>
    [...page.querySelectorAll("[data-chart], [data-part]")]
      .map((place) => place.dataset.chart ?? place.dataset.part)
      .sort()
      .join(" ");

  // Each live part is replaced where it changed, but not under the hands of its reader.
  const take = (page) => {
    if (charts(page) !== charts(document)) {
      location.reload();
      return;
    }
    for (const fresh of page.querySelectorAll("[data-live]")) {
      const old = document.getElementById(fresh.id);
      if (!old || old.contains(document.activeElement)) continue;
      if (old.innerHTML !== fresh.innerHTML) old.replaceWith(document.importNode(fresh, true));
    }
    const figuresNow = document.getElementById("figures");
    const figuresNew = page.getElementById("figures");
    if (figuresNow && figuresNew && figuresNow.textContent !== figuresNew.textContent) {
      figuresNow.textContent = figuresNew.textContent;
      draw();
    }
    if (document.title !== page.title) {
      document.title = page.title;
      document.getElementById("said").textContent = page.title;
    }
    document.body.dataset.refresh = page.body.dataset.refresh;
  };

  const tell = (text) => {
    document.getElementById("refreshed").textContent = text;
  };

  const clock = () => new Date().toISOString().slice(11, 19) + " UTC";

  const look = async () => {
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      take(new DOMParser().parseFromString(await answer.text(), "text/html"));
      failures = 0;
      tell(`Live: looked at ${clock()}.`);
    } catch (error) {
      failures += 1;
      tell(`Not up to date: serinus did not answer at ${clock()} (${error.message}).`);
    }
    again();
  };

  const again = () => {
    const seconds = Number(document.body.dataset.refresh);
    if (!seconds) {
      if (failures === 0) tell("");
      return;
    }
    const wait = seconds * Math.min(SLOWER_AFTER_ERROR, 1 + failures);
    setTimeout(() => (document.hidden ? again() : look()), 1000 * wait);
  };

  addEventListener("DOMContentLoaded", () => {
    draw();
    if (Number(document.body.dataset.refresh)) tell("Live: this page follows the rollout.");
    again();
  });
  dark.addEventListener("change", () => draw());
  // The figures are on paper as they were before it: light, and as wide as a sheet.
  addEventListener("beforeprint", () => {
    root.dataset.paper = "";
    draw(PAPER_WIDTH);
  });
  addEventListener("afterprint", () => {
    delete root.dataset.paper;
    draw();
    for (const place of document.querySelectorAll("[data-chart]")) window.Plotly?.Plots.resize(place);
  });
})();
