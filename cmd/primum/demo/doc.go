// Package demo is "primum demo": a forge in memory with an infusion pump's
// repository, Primum's real service beside it, and a browser page on which a
// newcomer acts as any of the people there and watches the verdict change.
//
// Nothing in it is made up for show: Primum reads the simulated forge through
// the adapter of its kind over HTTP, gets its signed webhooks, keeps its verdicts in
// SQLite and writes its check or status and its comment back. Everything is gone with the
// process.
package demo
