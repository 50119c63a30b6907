// Fills the table of databases and the page of each of them. Text reaches the document as text only, never as markup.
// Ages and durations are seconds, in histories and drills minutes; sizes in histories are KiB; words are numbers in lists.
// A database: n name, i instance, c class, s state where that says more, w left out, r rule, a age of the newest backup
// and m allowed, p age of the newest proven one, v verdict of the last drill, t seconds of a restore and f whether they
// were measured, k backups, d bytes of all, y copies [copy, state, age], q path of the
// newest backup and z of the newest proven one (one that begins with ./ goes on below the folder q of the instance),
// e error, x what is unusual, h history, g drills, o retention.
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const all = data.databases.map((one, number) => Object.assign(one, { number, at: data.instances[one.i] }));
  all.forEach(one => {
    if (one.h) { one.b = one.h[0][1] * 1024; one.u = one.h[0][2] * 1024; }
    one.text = [one.n, one.at.h, one.at.n, one.at.l, data.classes[one.c]].join(" ").toLowerCase();
  });
  const table = document.getElementById("table"), body = table.tBodies[0], find = document.getElementById("find");
  const show = document.getElementById("show"), shown = document.getElementById("shown"), more = document.getElementById("more");
  const detail = document.getElementById("detail");
  const STEP = 200;
  let sorted = "c", down = false, limit = STEP;

  const make = (name, properties, ...children) => {
    const element = Object.assign(document.createElement(name), properties || {});
    element.append(...children.filter(child => child !== null && child !== undefined));
    return element;
  };
  const draw = (name, attributes, ...children) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  const whole = (one, path) => path.startsWith("./") ? one.at.q + path.slice(1) : path;
  const name = text => make("bdi", { textContent: text });
  const size = bytes => {
    const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let unit = 0;
    while (bytes >= 1024 && unit < 5) { bytes /= 1024; unit += 1; }
    return `${unit ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
  };
  const age = seconds => seconds < 60 ? `${Math.floor(seconds)} s` : seconds < 3600 ? `${Math.floor(seconds / 60)} min`
    : seconds < 172800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86400)} d`;
  const span = seconds => seconds < 60 ? `${seconds.toFixed(1)} s` : seconds < 3600 ? `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`
    : `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} min`;
  const known = value => value !== undefined && value !== null;

  const line = (values, width, height, attributes) => {
    const most = Math.max(...values, 1), least = Math.min(...values, most) * 0.9, range = most - least || 1;
    const at = (value, place) => [place * width / Math.max(1, values.length - 1), height - 2 - (value - least) / range * (height - 4)];
    const points = values.map(at);
    const text = points.map(point => point.map(number => number.toFixed(1)).join(",")).join(" ");
    const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", ...attributes });
    return { svg, points, text };
  };

  const values = {
    n: one => one.text, c: one => one.c, a: one => known(one.a) ? one.a : Infinity, p: one => known(one.p) ? one.p : Infinity,
    y: one => Math.max(-1, ...(one.y || []).map(copy => copy[2] ?? Infinity)), t: one => one.t ?? -1, b: one => one.b ?? -1,
    x: one => (one.x ? -2 : 0) - ((one.h || []).length > 1 ? one.h[0][2] / (one.h.at(-1)[2] || 1) / 1e6 : 0),
  };
  const order = (first, second) => {
    const [a, b] = [values[sorted](first), values[sorted](second)];
    return (a < b ? -1 : a > b ? 1 : first.number - second.number) * (down ? -1 : 1);
  };

  const row = one => {
    const late = known(one.a) && one.a > one.m;
    const copies = make("td", { className: "opt" });
    (one.y || []).forEach(copy => copies.append(make("div", { className: copy[1] < 2 ? "" : "over" },
      name(data.copies[copy[0]]), ` ${known(copy[2]) ? age(copy[2]) : data.states[copy[1]]}`)));
    const trend = make("td", { className: "opt" });
    if ((one.h || []).length > 2) {
      const drawn = line(one.h.map(point => point[2]).reverse(), 90, 22, { class: "spark", "aria-hidden": "true" });
      drawn.svg.append(draw("polyline", { points: drawn.text }));
      trend.append(drawn.svg);
    }
    if (one.x) trend.append(make("span", { className: "over", textContent: "unusual" }));
    const proven = known(one.v) && !data.verdicts[one.v].startsWith("equal") ? "NO" : known(one.p) ? age(one.p) : "never";
    return make("tr", {},
      make("th", { scope: "row" }, make("a", { href: `#d${one.number}` }, name(one.n)), make("small", {}, name(`${one.at.h} / ${one.at.n}`))),
      make("td", {}, make("span", { className: `tag k${one.c}`, textContent: `${data.signs[one.c]} ${data.classes[one.c]}` })),
      make("td", { className: `num${late ? " over" : ""}`, textContent: known(one.a) ? age(one.a) : "none" }),
      make("td", { className: `num${proven === "NO" ? " over" : proven === "never" ? " never" : ""}`, textContent: one.n === "@accounts" ? "-" : proven }),
      copies,
      make("td", { className: "num opt", textContent: known(one.t) ? `${one.f ? "" : "~ "}${span(one.t)}` : "-" }),
      make("td", { className: "num opt", textContent: known(one.b) ? size(one.b) : "-" }),
      trend);
  };

  const fill = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean), wanted = show.value;
    const found = all.filter(one => (wanted === "" || one.c === Number(wanted)) && words.every(word => one.text.includes(word))).sort(order);
    body.replaceChildren(...found.slice(0, limit).map(row));
    shown.textContent = `${found.length} of ${all.length}`;
    more.hidden = found.length <= limit;
    more.textContent = `Show all ${found.length}`;
    document.querySelectorAll(".legend button").forEach(button => button.setAttribute("aria-pressed", String(button.dataset.class === wanted)));
  };

  const quote = text => /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
  const command = (title, text) => {
    const button = make("button", { type: "button", textContent: "Copy" });
    button.setAttribute("aria-label", `Copy: ${title}`);
    const pre = make("pre", {}, make("code", { textContent: text }));
    button.addEventListener("click", () => {
      const done = () => { button.textContent = "Copied"; };
      const select = () => { getSelection().selectAllChildren(pre); button.textContent = "Selected"; };
      if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, select); else select();
    });
    return [make("p", { className: "note", textContent: title }), make("div", { className: "command" }, pre, button)];
  };
  const commands = (one, path) => {
    const job = (one.at.j || [])[0];
    const back = `${one.n.replace(/[^A-Za-z0-9_]/g, "_").slice(0, 50)}_back`;
    const id = path.slice(path.lastIndexOf("/") + 1), copy = one.at.c;
    const which = copy ? { restore_copy: copy, restore_source_host: one.at.h, restore_database: one.n, restore_from: id } : { restore_from: path };
    const variables = JSON.stringify({ restore_hosts: one.at.l, restore_instance: one.at.n, ...which, restore_target: back });
    const backup = copy ? `${quote(one.n)} --copy ${quote(copy)} --backup-id ${id}` : `--path ${quote(path)}`;
    return [
      ...command("On the controller", `ansible-playbook vya.backupdb.restore -e ${quote(variables)}`),
      ...command("On the host, as root", job
        ? `backupdb restore ${quote(job)} ${quote(one.at.n)} ${backup} -i IDENTITY_FILE`
        : `backupdb restore --repository ${quote(one.at.p || "REPOSITORY")} ${quote(one.at.n)} --path ${quote(path)} --login-socket SOCKET -i IDENTITY_FILE`),
    ];
  };
  const grid = (titles, rows) => make("div", { className: "wide", tabIndex: 0, role: "region", ariaLabel: titles.join(", ") }, make("table", {},
    make("thead", {}, make("tr", {}, ...titles.map(([text, style]) => make("th", { scope: "col", className: style || "", textContent: text })))),
    make("tbody", {}, ...rows.map(cells => make("tr", {}, ...cells.map((text, place) => make("td", { className: titles[place][1] || "", textContent: text })))))));

  const open = number => {
    const one = all[number];
    if (!one) return;
    const facts = [
      ["Newest backup", known(one.a) ? `${age(one.a)} old` : "none"], ["Allowed", age(one.m)],
      ["Newest proven backup", known(one.p) ? `${age(one.p)} old` : "never proven"],
      ["Restore takes", known(one.t) ? `${span(one.t)}, ${one.f ? "measured" : "reckoned"}` : "not known"],
      ["Backups", `${one.k || 0}, ${size(one.d || 0)}`], ["Stored / unpacked", known(one.b) ? `${size(one.b)} / ${size(one.u || 0)}` : "-"],
    ];
    (one.y || []).forEach(copy => facts.push([`Copy ${data.copies[copy[0]]}`, `${data.states[copy[1]]}${known(copy[2]) ? `, ${age(copy[2])} old` : ""}`]));
    const close = make("button", { type: "button", textContent: "Close" });
    close.addEventListener("click", () => detail.close());
    const parts = [
      make("header", {}, make("div", {}, make("p", { className: "sub" }, name(`${one.at.h} / ${one.at.n}`)), make("h2", { id: "detail-title" }, name(one.n))), close),
      make("p", {}, make("span", { className: `tag k${one.c}`, textContent: `${data.signs[one.c]} ${data.classes[one.c]}` }),
        one.s ? ` ${one.s}` : "", one.w ? ` ${one.w}` : "", one.r ? ` ${one.r}` : "", one.e ? ` ${one.e}` : ""),
      ...(one.x || []).map(text => make("p", { className: "unusual", textContent: `Unusual: ${text}` })),
      make("dl", { className: "facts" }, ...facts.map(([term, text]) => make("div", {}, make("dt", { textContent: term }), make("dd", { textContent: text })))),
    ];
    if (one.q) parts.push(make("h3", { textContent: "Restore the newest backup" }), ...commands(one, whole(one, one.q)));
    if (one.z) parts.push(make("h3", { textContent: "Restore the newest proven backup" }), ...commands(one, whole(one, one.z)));
    const history = one.h || [];
    if (history.length > 1) {
      const oldest = [...history].reverse(), drawn = line(oldest.map(point => point[2]), 600, 90, { class: "line", role: "img" });
      drawn.svg.append(draw("title", {}, `Unpacked size of the last ${history.length} backups`), draw("polygon", { class: "area", points: `0,90 ${drawn.text} 600,90` }), draw("polyline", { points: drawn.text }));
      parts.push(make("h3", { textContent: "Size, unpacked" }), drawn.svg);
    }
    if (history.length) parts.push(make("h3", { textContent: `History: the newest ${history.length} of ${one.k || history.length} backups` }),
      grid([["Age"], ["Stored", "num"], ["Unpacked", "num"], ["Took", "num"], ["Rows", "num"], ["Drill"], ["State"]], history.map(point => [
        age(point[0] * 60), size(point[1] * 1024), size(point[2] * 1024), known(point[3]) ? span(point[3]) : "-",
        known(point[4]) ? point[4].toLocaleString("en") : "-", point[5] === 1 ? "proven" : point[5] === 0 ? "failed" : "-", point[6] ? "partial" : "complete"])));
    if (one.g) parts.push(make("h3", { textContent: "Drills" }), grid([["Age"], ["Verdict"], ["Restore", "num"], ["What was found"]],
      one.g.map(drill => [age(drill[0] * 60), data.verdicts[drill[1]], known(drill[2]) ? span(drill[2]) : "-", drill[3] || "-"])));
    if (one.o) {
      const [policy, keeps, freed, refused] = one.o;
      parts.push(make("h3", { textContent: "Retention" }), make("p", { textContent: `${data.policies[policy]}: keeps ${keeps} of ${one.k || keeps} now.` }),
        make("p", { textContent: refused ? `Nothing is removed: ${refused}` : `Of today's backups it frees ${size(freed[0])} now, ${size(freed[1])} within 7 days, ${size(freed[2])} within 30 days.` }));
    }
    detail.replaceChildren(...parts);
    if (!detail.open) detail.showModal();
    detail.scrollTop = 0;
  };
  const follow = () => {
    const asked = /^#d(\d+)$/.exec(location.hash);
    if (asked) open(Number(asked[1])); else if (detail.open) detail.close();
  };

  table.tHead.addEventListener("click", event => {
    const button = event.target.closest("button");
    if (!button) return;
    down = sorted === button.dataset.sort ? !down : false;
    sorted = button.dataset.sort;
    table.tHead.querySelectorAll("th").forEach(head => head.setAttribute("aria-sort", head.contains(button) ? (down ? "descending" : "ascending") : "none"));
    fill();
  });
  find.form.addEventListener("submit", event => event.preventDefault());
  find.addEventListener("input", () => { limit = STEP; fill(); });
  show.addEventListener("change", () => { limit = STEP; fill(); });
  more.addEventListener("click", () => { limit = Infinity; fill(); });
  document.querySelectorAll(".legend button").forEach(button => button.addEventListener("click", () => {
    show.value = show.value === button.dataset.class ? "" : button.dataset.class;
    fill();
    document.getElementById("databases").scrollIntoView();
  }));
  detail.addEventListener("close", () => { if (/^#d\d+$/.test(location.hash)) history.replaceState(null, "", location.pathname + location.search); });
  detail.addEventListener("click", event => { if (event.target === detail) detail.close(); });
  addEventListener("hashchange", follow);
  fill();
  follow();
})();
