/**
 * The language that the page speaks: the browser's, until the visitor chooses another, which is remembered.
 *
 * A message may hold `{names}`; one that counts has a form for each of the language's plural categories, chosen by `{count}`.
 *
 * @typedef {keyof typeof en} Key
 * @typedef {"en" | "de"} Language
 */

import { de } from "./messages/de.js";
import { en } from "./messages/en.js";
import { Watched } from "./view.js";

export const LANGUAGES = /** @type {const} */ ({ en: "English", de: "Deutsch" });
const MESSAGES = { en, de };
/** How each writes dates and numbers. */
const LOCALES = { en: "en-GB", de: "de" };
const REMEMBERED = "legenda-language";

class Speech extends Watched {
  /** @type {Language} */
  language = firstLanguage();

  get locale() {
    return LOCALES[this.language];
  }

  /** @param {Language} language */
  choose(language) {
    this.language = language;
    document.documentElement.lang = language;
    try {
      localStorage.setItem(REMEMBERED, language);
    } catch {
      // Storage is switched off: the choice holds until the page is left.
    }
    this.changed();
  }
}

/** The one of this page. */
export const speech = new Speech();

/**
 * Say something in the language of the page.
 *
 * @param {Key} key
 * @param {Record<string, string | number>} [values] numbers are written as the language writes them
 */
export const say = (key, values) => sayIn(speech.language, key, values);

/**
 * @param {Language} language
 * @param {Key} key
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function sayIn(language, key, values = {}) {
  /** @type {string | Record<string, string>} */
  const message = MESSAGES[language][key];
  const form = typeof message === "string" ? message : formOf(message, language, Number(values.count));
  return form.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? numbers(language).format(value) : value;
  });
}

/** Whether there is such a message; for those whose key comes from the server. @param {string} key @returns {key is Key} */
export const isKey = (key) => Object.hasOwn(en, key);

/** @param {Record<string, string>} forms @param {Language} language @param {number} count */
const formOf = (forms, language, count) => forms[new Intl.PluralRules(LOCALES[language]).select(count)] ?? forms.other;

/** @type {Partial<Record<Language, Intl.NumberFormat>>} */
const formats = {};

/** @param {Language} language */
function numbers(language) {
  formats[language] ??= new Intl.NumberFormat(LOCALES[language]);
  return formats[language];
}

/** @returns {Language} */
function firstLanguage() {
  let remembered = null;
  try {
    remembered = localStorage.getItem(REMEMBERED);
  } catch {
    // Storage is switched off: the browser's language stands.
  }
  const wanted = [remembered, ...(globalThis.navigator?.languages ?? [])];
  const found = wanted.map((each) => each?.slice(0, 2) ?? "").find((each) => Object.hasOwn(LANGUAGES, each));
  return /** @type {Language} */ (found ?? "en");
}
