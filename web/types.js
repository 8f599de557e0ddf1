/**
 * The wire as the gateway's public API speaks it, for the type checker; nothing runs here.
 * The source is shared/contracts.py.
 *
 * @typedef {{value: string, confidence: number}} Alternative
 *
 * @typedef {object} Word a current caption or label, and who gave it
 * @property {string} value
 * @property {number | null} confidence null when a person gave it
 * @property {"model" | "person"} source
 * @property {string | null} model `name@version`, null when a person gave it
 *
 * @typedef {object} Picture an image record
 * @property {string} id
 * @property {string} filename
 * @property {string} sha256
 * @property {string} media_type
 * @property {number} width as the picture is seen upright
 * @property {number} height
 * @property {number} size_bytes
 * @property {"complete" | "pending" | "failed"} status
 * @property {Word} label
 * @property {Word | null} caption
 * @property {Alternative[]} labels
 * @property {Alternative[]} captions
 * @property {string} created_at
 * @property {{id: string, distance: number} | null} duplicate_of a picture stored before that is almost the same
 *
 * @typedef {{items: Picture[], next_cursor: string | null}} PicturePage
 * @typedef {{image: Picture, distance: number}} SimilarPicture
 * @typedef {{items: SimilarPicture[]}} SimilarPictures
 * @typedef {{label: string, count: number}} LabelCount
 * @typedef {{label?: string, caption?: string}} Correction
 *
 * @typedef {{word: string, weights: number[][]}} WordAttention 14 rows of 14 shares, together 1
 * @typedef {{caption: string, words: WordAttention[], model: {name: string, version: string}}} ImageAttention
 *
 * @typedef {object} ImageExplanation what the classify model gives now, and why
 * @property {string} label `unclassified` where it is not sure enough of `evidence.label`
 * @property {Alternative[]} labels
 * @property {{label: string, words: string, map: number[][]}} evidence rows of 0 to 1, 1 where most speaks for it
 * @property {{name: string, version: string}} model
 *
 * @typedef {object} Batch many files sent at once
 * @property {string} id
 * @property {"receiving" | "working" | "complete" | "interrupted" | "cancelled"} state
 * @property {boolean} is_done
 * @property {string | null} reason why it was interrupted
 * @property {{received: number, known: number, pending: number, complete: number, failed: number, deleted: number, refused: number}} counts
 * @property {number} rate_per_s
 * @property {number | null} eta_s
 * @property {BatchFile[]} refused
 *
 * @typedef {object} BatchFile
 * @property {number} position
 * @property {string} filename
 * @property {string | null} archive the ZIP that it came in
 * @property {{code: string, detail: string} | null} refusal
 *
 * @typedef {{name: string, version: string, kind: string, measured: Record<string, number>}} ServedModel
 * @typedef {{name: string, is_ready: boolean, version: string | null, models: ServedModel[]}} ServiceStatus
 *
 * @typedef {object} StorageStatus
 * @property {number} images
 * @property {number} stored_bytes
 * @property {number} pending
 * @property {number} failed given up
 * @property {number[]} described_a_minute of the last hour, the oldest first
 *
 * @typedef {object} PlatformStatus
 * @property {string} asked_at
 * @property {ServiceStatus[]} services
 * @property {StorageStatus | null} storage null while it does not answer
 * @property {number | null} oldest_pending_s
 *
 * @typedef {object} SessionAnswer whose key is shown
 * @property {boolean} asks_for_key
 * @property {string} name
 * @property {"read" | "write" | "admin"} scope
 *
 * @typedef {object} HistoryEntry a caption or label that was given
 * @property {"caption" | "label"} kind
 * @property {string} value
 * @property {number | null} confidence
 * @property {"model" | "person"} source
 * @property {string | null} model
 * @property {string} created_at
 * @property {boolean} is_current
 *
 * @typedef {object} View what of all pictures is shown; empty is not asked for
 * @property {string} q
 * @property {string} label
 * @property {string} from a day, `2026-11-26`
 * @property {string} to a day, with it
 * @property {string} sure how sure the model was of the label, one of `SURENESS`
 * @property {string} sort `uncertain`, or with words `newest`
 *
 * @typedef {View & {picture: string, room: string}} Place a view, and the picture or room that is open
 *
 * @typedef {object} Library everything that is shared by the parts of the page
 * @property {import("./pictures.js").Pictures} pictures
 * @property {import("./label-counts.js").LabelCounts} counts
 * @property {import("./upload-queue.js").UploadQueue} uploads
 * @property {import("./batches.js").Batches} batches
 * @property {import("./deletions.js").Deletions} deletions
 * @property {import("./selection.js").Selection} selection
 * @property {import("./unsent-files.js").UnsentFiles} unsent what a closed tab left is sent
 */

export {};
