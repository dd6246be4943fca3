// The few words that the script itself shows; the page's language is <html lang>.
const WORDS = {
  ru: {
    d: "д", h: "ч", m: "мин", now: "только что", ago: "назад", in: "через", copied: "Скопировано", copyByHand: "Браузер не дал скопировать: текст выделен, нажмите Ctrl+C",
    close: "Закрыть", undo: "Отменить", offline: "Нет связи с сервером", online: "На связи", signedOut: "Вход закончился: войдите снова, черновик останется на странице", signIn: "Войти", openIt: "Открыть", soundOn: "Звук включён: так звучит новая заявка", soundOff: "Звук выключен",
    failed: "Сервер ответил ошибкой, ничего не записано: повторите", left: "Осталось оценить", segment: "сегмент", unscored: "без оценки",
  },
  en: {
    d: "d", h: "h", m: "min", now: "just now", ago: "ago", in: "in", copied: "Copied", copyByHand: "The browser refused to copy: the text is selected, press Ctrl+C",
    close: "Close", undo: "Undo", offline: "No connection to the server", online: "Online", signedOut: "You are signed out: sign in again, the draft stays on the page", signIn: "Sign in", openIt: "Open", soundOn: "Sound is on: this is a new request", soundOff: "Sound is off",
    failed: "The server answered with an error and nothing was saved: try again", left: "Left to score", segment: "segment", unscored: "not scored",
  },
};
export const lang = document.documentElement.lang === "en" ? "en" : "ru";
export const say = (key) => WORDS[lang][key];
