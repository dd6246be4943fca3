/* Looks after every <form data-hub-form="id"> of a page: the request is kept until the hub has it.
   No dependencies, no inline code or styles. Without this script the same form posts plainly.
   Attributes of the form: action="https://hub/f/id", data-phone, data-thanks, data-thanks-url, data-metrika. */
(function () {
  "use strict";
  if (window.hubForm) return;
  window.hubForm = true;

  var DAY = 86400000, TOUCH_DAYS = 90, DRAFT_DAYS = 1, KEEP_DAYS = 30;
  var PAUSES = [1000, 3000, 8000], AGAIN = 60000, TIMEOUT = 15000;
  var MARKS = ["utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "yclid", "gclid", "_openstat"];
  var WORDS = {
    ru: {
      sending: "Отправляем…",
      thanks: "Спасибо, заявка отправлена. Номер: {receipt}.",
      later: "Заявка, которую не удалось отправить раньше, теперь отправлена. Номер: {receipt}.",
      kept: "Сейчас связи нет. Заявка сохранена в этом браузере и уйдёт сама, когда связь появится, или при следующем посещении.",
      open: "Сейчас связи нет. Не закрывайте страницу: мы продолжаем отправлять заявку.",
      call: " Можно позвонить: {phone}.",
      refused: "Заявка не принята. Проверьте поля и отправьте ещё раз."
    },
    en: {
      sending: "Sending…",
      thanks: "Thank you, your request is sent. Its number: {receipt}.",
      later: "The request that could not be sent earlier is sent now. Its number: {receipt}.",
      kept: "There is no connection now. Your request is kept in this browser and will be sent once there is one, or on your next visit.",
      open: "There is no connection now. Keep this page open: we go on sending your request.",
      call: " You can call {phone}.",
      refused: "The request was not accepted. Check the fields and send it again."
    }
  };
  var words = /^en/i.test(document.documentElement.lang) ? WORDS.en : WORDS.ru;

  function say(name, values) {
    return (words[name] || name).replace(/\{(\w+)\}/g, function (_, key) { return (values && values[key]) || ""; });
  }

  /* Storage may be blocked or full: then nothing is remembered, and nothing breaks. */
  var store = {
    get: function (key) {
      try { return JSON.parse(localStorage.getItem("hub-form:" + key)); } catch (e) { return null; }
    },
    set: function (key, value) {
      try {
        if (value === null) localStorage.removeItem("hub-form:" + key);
        else localStorage.setItem("hub-form:" + key, JSON.stringify(value));
        return true;
      } catch (e) { return false; }
    }
  };

  function freshId() {
    if (window.crypto && crypto.randomUUID) return crypto.randomUUID();
    var bytes = new Uint8Array(16);
    crypto.getRandomValues(bytes);
    return Array.prototype.map.call(bytes, function (b) { return (b + 256).toString(16).slice(1); }).join("");
  }

  /* First and last touch: the first is kept for 90 days, the last is the newest visit that came from somewhere. */
  function touches() {
    var now = Date.now(), query = new URLSearchParams(location.search), touch = { at: now, page: location.href };
    var from = document.referrer, outside = from && from.split("/")[2] !== location.host, marked = false;
    if (outside) touch.referrer = from;
    MARKS.forEach(function (mark) {
      if (query.get(mark)) { touch[mark] = query.get(mark).slice(0, 500); marked = true; }
    });
    var kept = store.get("touch") || {};
    if (!kept.first || now - kept.first.at > TOUCH_DAYS * DAY) kept.first = touch;
    if (!kept.last || now - kept.last.at > TOUCH_DAYS * DAY || marked || outside) kept.last = touch;
    store.set("touch", kept);
    return kept;
  }
  var touch = touches();

  function attribution(form) {
    var out = { page: location.href, referrer: touch.last.referrer || document.referrer };
    MARKS.concat(["referrer", "page"]).forEach(function (mark) {
      if (touch.last[mark] && !out[mark]) out[mark] = touch.last[mark];
      if (touch.first[mark]) out["first_" + mark.replace(/^_/, "")] = touch.first[mark];
    });
    out.first_at = new Date(touch.first.at).toISOString();
    out.last_at = new Date(touch.last.at).toISOString();
    var cookie = /(?:^|;\s*)_ym_uid=([^;]+)/.exec(document.cookie);
    if (form.hubClient || cookie) out._ym_uid = form.hubClient || cookie[1];
    try { out.timezone = Intl.DateTimeFormat().resolvedOptions().timeZone || ""; } catch (e) { /* an old browser */ }
    return out;
  }

  function send(item, done) {
    var stop = window.AbortController ? new AbortController() : null, headers = { "Idempotency-Key": '"' + item.id + '"' };
    var timer = setTimeout(function () { if (stop) stop.abort(); }, TIMEOUT);
    if (typeof item.body === "string") headers["Content-Type"] = "application/json";
    fetch(item.url, { method: "POST", body: item.body, headers: headers, credentials: "omit", signal: stop ? stop.signal : undefined })
      .then(function (answer) {
        return answer.json().catch(function () { return {}; }).then(function (json) {
          done(answer.status, json, Number(answer.headers.get("Retry-After")) || 0);
        });
      })
      .catch(function () { done(0, {}, 0); })
      .then(function () { clearTimeout(timer); });
  }

  function again(status) { return status === 0 || status === 408 || status === 429 || status >= 500; }

  function Keeper(form) {
    var id = form.getAttribute("data-hub-form"), action = form.getAttribute("action") || "";
    var base = new URL(action, location.href).href.replace(/\/f\/[^\/]*$/, "") + "/api/v1/forms/" + encodeURIComponent(id);
    var draftKey = "draft:" + id, waitingKey = "waiting:" + id, busy = false, token = "";
    var memory = []; /* what could not be put into storage: files, a blocked storage */

    var status = form.querySelector("[data-hub-status]");
    if (!status) {
      status = document.createElement("p");
      status.setAttribute("data-hub-status", "");
      form.appendChild(status);
    }
    status.setAttribute("role", "status");
    status.setAttribute("aria-live", "polite");
    status.tabIndex = -1;
    var hidden = form.querySelector("[data-hub-hidden]");
    if (hidden) { hidden.style.position = "absolute"; hidden.style.left = "-10000px"; }

    function show(kind, text, focus) {
      form.setAttribute("data-hub-state", kind);
      status.textContent = text;
      if (focus) status.focus();
    }
    function call() {
      var phone = form.getAttribute("data-phone");
      return phone ? say("call", { phone: phone }) : "";
    }
    function controls() {
      return Array.prototype.filter.call(form.querySelectorAll("input, select, textarea"), function (control) {
        return control.name && !/^(hidden|file|password|submit|button)$/.test(control.type)
          && !(hidden && hidden.contains(control)) && !/consent/.test(control.name);
      });
    }

    /* The draft: kept for a day. Consent is never ticked for the visitor. */
    function keepDraft() {
      store.set(draftKey, { at: Date.now(), values: controls().map(function (c) {
        return [c.name, /^(checkbox|radio)$/.test(c.type) ? c.checked : c.value];
      }) });
    }
    function restoreDraft() {
      var draft = store.get(draftKey), all = controls();
      if (!draft || Date.now() - draft.at > DRAFT_DAYS * DAY || draft.values.length !== all.length) return;
      all.forEach(function (control, i) {
        var value = draft.values[i][1];
        if (draft.values[i][0] !== control.name) return;
        if (typeof value === "boolean") control.checked = value;
        else if (!control.value) control.value = value;
      });
    }

    /* Requests that wait: written down before they are sent, with their id, taken away once the hub has answered. */
    function waiting() {
      return (store.get(waitingKey) || []).filter(function (item) { return Date.now() - item.at < KEEP_DAYS * DAY; });
    }
    function keep(item) {
      var kept = typeof item.body === "string" && store.set(waitingKey, waiting().concat([item]));
      if (!kept) memory.push(item);
      return kept;
    }
    function forget(item) {
      function other(one) { return one.id !== item.id; }
      memory = memory.filter(other);
      var left = waiting().filter(other);
      store.set(waitingKey, left.length ? left : null);
    }

    function item() {
      var data = new FormData(form), files = false, more = attribution(form), id = freshId(), values = {};
      data.forEach(function (value) { if (typeof value !== "string" && (value.size || value.name)) files = true; });
      more.submission_id = id;
      if (token) more.hub_token = token;
      Object.keys(more).forEach(function (key) { if (!data.has(key) && more[key]) data.append(key, more[key]); });
      data.forEach(function (value, key) {
        if (typeof value !== "string") return;
        values[key] = Object.prototype.hasOwnProperty.call(values, key) ? [].concat(values[key], value) : value;
      });
      return { id: id, at: Date.now(), url: base + "/submissions", body: files ? data : JSON.stringify(values) };
    }

    function done(receipt) {
      var url = form.getAttribute("data-thanks-url");
      busy = false;
      store.set(draftKey, null);
      form.reset();
      release();
      show("sent", form.getAttribute("data-thanks") || say("thanks", { receipt: receipt }), true);
      if (url && /^https?:\/\//i.test(url)) location.assign(url);
    }
    function release() {
      form.removeAttribute("aria-busy");
      form.querySelectorAll("button, input[type=submit]").forEach(function (button) { button.disabled = false; });
    }

    function attempt(one, number) {
      send(one, function (code, answer, wait) {
        if (code >= 200 && code < 300) { forget(one); done(answer.receipt); return; }
        if (!again(code)) {
          forget(one);
          keepDraft();
          busy = false;
          release();
          show("refused", (answer.detail || say("refused")) + call(), true);
          return;
        }
        if (number < PAUSES.length) {
          setTimeout(attempt, Math.max(PAUSES[number], Math.min(wait, 30) * 1000), one, number + 1);
          return;
        }
        busy = false;
        var inMemory = memory.indexOf(one) >= 0;
        if (!inMemory) form.reset();
        release();
        show("kept", say(inMemory ? "open" : "kept") + call(), true);
      });
    }

    /* What waits is sent again on the next visit, when the connection comes back, and once a minute. */
    function flush() {
      if (busy) return;
      var one = memory[0] || waiting()[0];
      if (!one) return;
      busy = true;
      send(one, function (code, answer) {
        busy = false;
        if (code >= 200 && code < 300) {
          forget(one);
          show("sent", say("later", { receipt: answer.receipt }), false);
          flush();
        } else if (code === 400 || code === 409 || code === 413) {
          forget(one); /* it will never be taken */
          show("refused", (answer.detail || say("refused")) + call(), false);
        }
      });
    }

    form.addEventListener("input", keepDraft);
    form.addEventListener("change", keepDraft);
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      if (form.getAttribute("aria-busy")) return;
      var one = item();
      busy = true;
      form.setAttribute("aria-busy", "true");
      form.querySelectorAll("button, input[type=submit]").forEach(function (button) { button.disabled = true; });
      if (keep(one)) store.set(draftKey, null);
      show("sending", say("sending"), false);
      attempt(one, 0);
    });
    window.addEventListener("online", flush);
    setInterval(flush, AGAIN);

    fetch(base + "/token", { credentials: "omit", cache: "no-store" })
      .then(function (answer) { return answer.ok ? answer.json() : {}; })
      .then(function (json) { token = json.token || ""; })
      .catch(function () { /* the hub is away; the request goes without a token */ });
    if (window.ym && form.getAttribute("data-metrika")) {
      window.ym(form.getAttribute("data-metrika"), "getClientID", function (client) { form.hubClient = String(client); });
    }
    restoreDraft();
    flush();
  }

  function start() {
    document.querySelectorAll("form[data-hub-form]").forEach(function (form) {
      if (!form.hubKept) { form.hubKept = true; Keeper(form); }
    });
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
