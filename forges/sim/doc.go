// Package sim is a forge in memory: repositories with real commits, people,
// teams, permissions, issues, changes, reviews, checks, branch protection and
// merge queues. It knows no HTTP; the faces beside it (githubface,
// gitlabface, giteaface) each speak a forge's API over it and send its webhooks,
// so that the real adapters, the demonstration and the scenarios run against it
// unchanged. In what a forge decides rather than tells it differs by its Style.
//
// Everything a person can do is a method of Actor: f.As("mara").Approve(…).
// What happens is announced to subscribers as a Happening, in the moment it
// happens. Objects have the ids git would give them. A Forge is safe for
// concurrent use; values it hands out are copies, except inside Read.
package sim
