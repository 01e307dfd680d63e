/**
 * The charts of a run's report, drawn with pen.js, which stands before it in the same script.
 */

{
  const data = JSON.parse(document.getElementById("report-data").textContent);
  const { s, line, dots, bars, nearest } = pen;
  const PLAY_MS = 90;
  const LETTERS = { gamma: "γ", beta: "β" };

  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const percent = (value) => `${value.toFixed(1)}%`;
  const epochOf = (value) => String(Number(value.toFixed(1)));
  const last = (values) => values[values.length - 1];

  const view = { of: "gamma", at: data.moments.length - 1 };
  const moment = () => data.moments[view.at];

  /** The curve of accuracy or loss over the epochs. */
  function curve(key, scale, unit, shown) {
    const points = ({ epoch, [key]: values }) =>
      epoch.map((at, index) => [at, values[index]]).filter(([, value]) => value !== null).map(([at, value]) => [at, value * scale]);
    const [train, test] = [points(data.train), points(data.test)];
    const all = [...train, ...test].map(([, value]) => value);
    if (!all.length) return null;
    const said = (at) =>
      [["test", test], ["train", train]]
        .filter(([, rows]) => rows.length)
        .map(([name, rows]) => [name, nearest(rows, at)])
        .map(([name, [epoch, value]]) => `${name} ${shown(value)} (epoch ${epochOf(epoch)})`)
        .join(", ");
    return {
      x: [0, data.epochs],
      y: [0, 1.05 * Math.max(...all, 1e-6)],
      title: "epoch (thick: test, thin: train)",
      unit,
      paint: (on) => [line(on, train, "mark second"), line(on, test, "mark"), ...(test.length > 80 ? [] : dots(on, test))],
      words: () => said(data.epochs),
      read: said,
    };
  }

  const shares = (counts) => counts.map((count) => (100 * count) / (sum(counts) || 1));

  function histogram() {
    const { of } = view;
    const { edges } = data;
    const width = edges[1] - edges[0];
    const middle = (entry) => edges[0] + (entry - 0.5) * width;
    const used = data.moments.flatMap(({ [of]: counts }) => counts.flatMap((count, entry) => (count ? [entry] : [])));
    const [low, high] = [Math.min(...used), Math.max(...used)];
    const points = (at) => shares(data.moments[at][of]).map((share, entry) => [middle(entry), share]).slice(low, high + 1);
    const [start, now] = [points(0), points(view.at)];
    // While the reader moves through the training, the axis stays and only the bars move.
    const scaled = view.at === data.moments.length - 1 ? [...now, ...start] : data.moments.flatMap((_, at) => points(at));
    const outline = start.flatMap(([at, share]) => [
      [at - width / 2, share],
      [at + width / 2, share],
    ]);
    const place = (at) => {
      const entry = Math.round((at - edges[0]) / width + 0.5);
      if (entry <= 0) return `below ${edges[0]}`;
      return entry >= edges.length ? `above ${last(edges)}` : `${LETTERS[of]} from ${(middle(entry) - width / 2).toFixed(2)} to ${(middle(entry) + width / 2).toFixed(2)}`;
    };
    const zero = (moment()[of].length - 1) / 2;
    return {
      x: [middle(low) - width, middle(high) + width],
      y: [0, 1.05 * Math.max(...scaled.map(([, share]) => share))],
      title: `${LETTERS[of]}; line: at the start`,
      unit: "%",
      paint: (on) => [...bars(on, now, width * 0.86), line(on, outline, "mark second")],
      words: () =>
        `${sum(moment()[of])} features at epoch ${epochOf(moment().epoch)}; ${percent(shares(moment()[of])[zero])} in the bin around zero`,
      read: (at) => `${place(nearest(now, at)[0])}: ${percent(nearest(now, at)[1])} of the features`,
    };
  }

  const features = sum(data.layers.map(({ channels }) => channels));
  const off = ({ disabled }) => (100 * sum(disabled)) / (features || 1);

  function disabledByLayer() {
    const points = data.layers.map(({ channels }, at) => [at + 1, (100 * moment().disabled[at]) / channels]);
    return {
      x: [0.4, points.length + 0.6],
      y: [0, Math.max(5, 1.05 * Math.max(...points.map(([, share]) => share)))],
      title: "layer, from input to output",
      unit: "%",
      paint: (on) => bars(on, points, points.length > 100 ? 1 : 0.8),
      words: () => `${percent(off(moment()))} of all features at epoch ${epochOf(moment().epoch)}`,
      read: (at) => {
        const [place, share] = nearest(points, at);
        const { name, channels } = data.layers[place - 1];
        return `${name}: ${moment().disabled[place - 1]} of ${channels} features (${percent(share)})`;
      },
    };
  }

  function disabledOverTime() {
    const points = data.moments.map((one) => [one.epoch, off(one)]);
    return {
      x: [0, data.epochs],
      y: [0, Math.max(5, 1.05 * Math.max(...points.map(([, share]) => share)))],
      title: "epoch",
      unit: "%",
      paint: (on) => [
        s("line", { class: "at", x1: on.x(moment().epoch), x2: on.x(moment().epoch), y1: on.top, y2: on.base }),
        line(on, points, "mark"),
      ],
      words: () => `${percent(last(points)[1])} at epoch ${epochOf(last(points)[0])}`,
      read: (at) => `${percent(nearest(points, at)[1])} at epoch ${epochOf(nearest(points, at)[0])}`,
    };
  }

  function ablation() {
    const rows = data.ablation;
    const said = ({ epsilon, zeroed, top1 }) =>
      `γ with |γ| < ${epsilon} set to 0 (${percent(100 * zeroed)}): test accuracy ${percent(100 * top1)}`;
    const points = (key) => rows.map((row, at) => [at, 100 * row[key]]);
    return {
      x: [-0.6, rows.length - 0.4],
      y: [0, 100],
      places: rows.map(({ epsilon }, at) => [at, epsilon]),
      title: "threshold ε; bars: share of γ set to 0",
      unit: "%",
      paint: (on) => [...bars(on, points("zeroed"), 0.6, "bar soft"), line(on, points("top1"), "mark"), ...dots(on, points("top1"))],
      words: () => said(rows.find(({ epsilon }) => epsilon === data.disabled_below) ?? rows[0]),
      read: (at) => said(rows[nearest(points("top1"), at)[0]]),
    };
  }

  function relus() {
    const points = data.relus.map(({ mostly_off }, at) => [at + 1, 100 * mostly_off]);
    const said = ([place, share]) => `${data.relus[place - 1].name}: ${percent(share)} of its channels`;
    return {
      x: [0.4, points.length + 0.6],
      y: [0, Math.max(5, 1.05 * Math.max(...points.map(([, share]) => share)))],
      title: "ReLU, from input to output",
      unit: "%",
      paint: (on) => bars(on, points, points.length > 100 ? 1 : 0.8),
      words: () => `most in ${said(points.reduce((a, b) => (b[1] > a[1] ? b : a)))}`,
      read: (at) => said(nearest(points, at)),
    };
  }

  const CHARTS = {
    accuracy: () => curve("top1", 100, "%", percent),
    loss: () => curve("loss", 1, "", (value) => value.toFixed(3)),
    histogram,
    layers: disabledByLayer,
    disabled: disabledOverTime,
    ablation,
    relus,
  };

  const { draw, places } = pen.show((name) => CHARTS[name]());
  const ofMoment = places.filter(({ dataset }) => ["histogram", "layers", "disabled"].includes(dataset.chart));

  function player(element) {
    const [slider, said, button] = ["[type=range]", "output", "button"].map((name) => element.querySelector(name));
    let timer = null;
    const go = (at) => {
      view.at = at;
      slider.value = at;
      said.textContent = `Epoch ${epochOf(moment().epoch)} of ${data.epochs}`;
      slider.setAttribute("aria-valuetext", said.textContent);
      ofMoment.forEach(draw);
    };
    const stop = () => {
      clearInterval(timer);
      timer = null;
      button.textContent = "Play";
    };
    const turn = () => (view.at + 1 < data.moments.length ? go(view.at + 1) : stop());
    button.addEventListener("click", () => {
      if (timer !== null) return stop();
      if (view.at === data.moments.length - 1) go(0);
      timer = setInterval(turn, matchMedia("(prefers-reduced-motion: reduce)").matches ? 10 * PLAY_MS : PLAY_MS);
      button.textContent = "Pause";
    });
    slider.addEventListener("input", () => {
      stop();
      go(Number(slider.value));
    });
    for (const choice of element.querySelectorAll("[type=radio]"))
      choice.addEventListener("change", () => {
        view.of = choice.value;
        go(view.at);
      });
    slider.max = data.moments.length - 1;
    go(view.at);
    element.hidden = false;
  }

  const controls = document.querySelector(".moment");
  if (controls) player(controls);
}
