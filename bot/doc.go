// Package bot moves facts from forges to the rules and verdicts back.
//
// This is the tour. Read the packages in this order, which is the order a
// delivery takes through them:
//
//   - primum/forges is the seam: a Forge verifies and decodes deliveries, reads
//     one change as facts (primum/rules/fact) and carries out a few writes. The
//     bot holds a forges.Forge and never a named one.
//   - primum/bot/intake takes a webhook: bound, verify, decode, store, 202. What
//     a delivery leads to is planned as data: which subjects it marks, and the
//     comments whose first words must be remembered.
//   - primum/bot/store is the memory. Work is state, not messages: a delivery
//     moves a subject's "wanted" ahead of its "judged", in the transaction that
//     stores the delivery. A burst is one judgement, an event during a judgement
//     is not lost, and after a crash there is nothing to replay.
//   - primum/bot/work claims subjects whose time has come, one worker to a
//     subject over all replicas, and waits after failures as the forge asks.
//   - primum/bot/judge brings one claimed subject up to date. It reads the
//     change, guards against a forge that answers with an older state, recalls
//     what comments first said, and hands facts and policy to primum/rules,
//     where the deciding is: rules.Evaluate is pure, and its rules.Verdict is
//     what every surface shows.
//   - primum/bot/report puts a verdict into words: a check and a comment. Pure.
//   - primum/bot/publish plans what differs from what stands on the forge and
//     writes only that, each act fenced by the claim and kept before and after.
//   - primum/bot/sweep marks what a lost webhook may have hidden. The marks go
//     down the same path.
//   - primum/bot/watch does so where somebody else's check stands in place of
//     Primum's and the forge tells nobody.
//   - primum/bot/pages shows the stored verdicts in a browser.
//   - primum/bot/config reads the service's own settings from the environment.
//   - primum/bot/clock is the only place that asks the time.
//
// This package itself only wires: Service holds the parts, serves their HTTP
// (webhooks, health, metrics, the policy schema, pages), and starts and stops
// them in order. cmd/primum chooses the forges and the store.
package bot
