/**
 * The pictures of the view, in their order, and what is known of each.
 *
 * Uploads, corrections and late descriptions all arrive here, so that gallery and detail never disagree. Those that are
 * not known yet are loaded where somebody looks.
 *
 * @typedef {import("./types.js").Picture} Picture
 * @typedef {import("./types.js").View} View
 */

import { firstPage, getPicture } from "./api.js";
import { Loading } from "./loading.js";
import { ViewLoading } from "./view-loading.js";
import { Watched } from "./view.js";
import { isPlain } from "./views.js";

const STILL_AT_THE_TOP_PX = 60;

export class Pictures extends Watched {
  /** @type {Picture[]} new ones, held back while someone looks further down */
  newcomers = [];
  /** Counts up whenever pictures come, go, or get another shape. */
  layout = 0;
  #gallery = new ViewLoading({
    isHidden: (id) => this.#hidden.has(id),
    onFirst: () => {
      this.newcomers = [];
    },
    onChange: () => this.#moved(),
  });
  #loader = new Loading((stretch, items) => this.#fill(stretch, items));
  /** @type {Map<string, Picture>} opened by their address, but not among those of the view */
  #strays = new Map();
  /** @type {Set<string>} about to be deleted */
  #hidden = new Set();
  #isStale = false;

  get view() {
    return this.#gallery.view;
  }

  /** Whether what is here is not yet of the view that was asked for. */
  get loading() {
    return this.#gallery.isLoading;
  }

  /** Whether the shapes of all are known. */
  get isOutlined() {
    return this.#gallery.isOutlined;
  }

  /** Why the last attempt to load failed. */
  get problem() {
    return this.#gallery.problem;
  }

  get count() {
    return this.#gallery.stretches.count;
  }

  get shapes() {
    return this.#gallery.stretches.shapes;
  }

  get known() {
    return [...this.newcomers, ...this.#gallery.stretches.known, ...this.#strays.values()];
  }

  get pending() {
    return this.known.filter((picture) => picture.status === "pending");
  }

  /** @param {number} at @returns {Picture | undefined} undefined where it has not come yet */
  at(at) {
    return this.#gallery.stretches.at(at);
  }

  /** @param {string} id */
  indexOf(id) {
    return this.#gallery.stretches.indexOf(id);
  }

  /** @param {string} id */
  find(id) {
    return this.at(this.indexOf(id)) ?? this.newcomers.find((one) => one.id === id) ?? this.#strays.get(id);
  }

  /** Whether a picture is about to be deleted. @param {string} id */
  isHidden(id) {
    return this.#hidden.has(id);
  }

  /** @param {View} view */
  async show(view) {
    this.#loader.stop();
    this.newcomers = [];
    this.#isStale = false;
    await this.#gallery.show(view);
  }

  /** Somebody looks at these, or soon will. @param {number} from @param {number} to behind the last */
  need(from, to) {
    if (this.loading) return;
    const wanted = this.#gallery.stretches.between(from, to);
    for (const stretch of wanted) this.#gallery.stretches.touch(stretch);
    this.#loader.want(wanted.filter(({ pictures }) => !pictures), this.view);
  }

  /** Like `need`, and waits until they are there. @param {number} from @param {number} to */
  async load(from, to) {
    const missing = this.#gallery.stretches.between(from, to).filter(({ pictures }) => !pictures);
    for (const stretch of missing) await this.#loader.load(stretch, this.view);
  }

  /** Try what failed again. */
  retry() {
    return this.#gallery.retry();
  }

  /** Make sure that a picture is known, also one that is not in view. @param {string} id */
  async open(id) {
    if (this.find(id)) return;
    this.#strays.set(id, await getPicture(id));
    this.changed();
  }

  /** Take over what is newly known of a picture. @param {Picture} picture */
  put(picture) {
    this.#gallery.stretches.replace(picture);
    this.newcomers = this.newcomers.map((item) => (item.id === picture.id ? picture : item));
    if (this.#strays.has(picture.id)) this.#strays.set(picture.id, picture);
    this.changed();
  }

  /** Take in a new picture, where it belongs to the view. @param {Picture} picture */
  add(picture) {
    const { label } = this.view;
    const fits = isPlain(this.view) && (!label || label === picture.label.value);
    if (this.find(picture.id)) this.put(picture);
    else if (fits && !this.loading) this.newcomers = [picture, ...this.newcomers];
    this.changed();
  }

  /** Show the new pictures, first of all. */
  showNewcomers() {
    if (this.#isStale) void this.#showAnew();
    if (this.newcomers.length === 0) return;
    this.#gallery.stretches.insert(this.newcomers, 0);
    this.newcomers = [];
    this.#moved();
  }

  /** @param {Picture} picture @param {number} at */
  insert(picture, at) {
    this.#hidden.delete(picture.id);
    this.#gallery.stretches.insert([picture], at);
    this.#moved();
  }

  /** @param {string} id @returns {number} where it stood, -1 where it was not shown */
  takeOut(id) {
    const at = this.indexOf(id);
    this.#hidden.add(id);
    this.#strays.delete(id);
    if (at >= 0) this.#gallery.stretches.remove(at);
    this.newcomers = this.newcomers.filter((item) => item.id !== id);
    this.#moved();
    return at;
  }

  /**
   * Take in what has been added elsewhere.
   *
   * @param {{isWhole: boolean}} how whether so much may have come that only showing the view anew has all of it; who looks
   *   further down is not moved
   */
  async lookForNew({ isWhole }) {
    if (this.loading || !isPlain(this.view)) return;
    const { view } = this;
    if (isWhole && scrollY < STILL_AT_THE_TOP_PX && this.#strays.size === 0) return this.#showAnew();
    this.#isStale ||= isWhole;
    try {
      const page = await firstPage(view, this.#gallery.signal);
      if (view !== this.view) return;
      page.items.toReversed().forEach((picture) => this.#hidden.has(picture.id) || this.add(picture));
    } catch {
      // Nothing that was there is lost; the next news of the batch asks again.
    }
  }

  /** @param {import("./stretches.js").Stretch} stretch @param {Picture[]} items */
  #fill(stretch, items) {
    const fresh = items.filter(({ id }) => !this.#hidden.has(id) && this.indexOf(id) < 0).slice(0, stretch.shapes.length);
    const isAsTold = fresh.length === stretch.shapes.length;
    this.#gallery.stretches.fill(stretch, fresh);
    if (isAsTold) this.changed();
    else this.#moved();
  }

  async #showAnew() {
    this.#isStale = false;
    await this.#gallery.loadFirst();
  }

  #moved() {
    this.layout += 1;
    this.changed();
  }
}
