/** The gateway's addresses for batches. */

import { API, ask } from "./ask.js";

/** Where a batch is sent to; its id is chosen here, so that it can be watched meanwhile. @param {string} id */
export const sendBatchUrl = (id) => `${API}batches?id=${id}`;

/** @param {string} id */
export const batchEventsUrl = (id) => `${API}batches/${id}/events`;

/** @returns {Promise<{items: import("./types.js").Batch[]}>} the newest first */
export const listBatches = () => ask("batches");

/** @param {string} id @returns {Promise<import("./types.js").Batch>} */
export const getBatch = (id) => ask(`batches/${id}`);

/** @param {string} id @returns {Promise<import("./types.js").Batch>} */
export const cancelBatch = (id) => ask(`batches/${id}`, { method: "DELETE" });
