// Package spec is test support: it holds what the GitHub adapter asks, what the
// simulated face answers and the webhooks it sends against GitHub's own
// published descriptions, so that the simulation cannot drift into a
// convenient fiction.
//
// The descriptions come from npm (@octokit/openapi, @octokit/graphql-schema,
// @octokit/openapi-webhooks, @octokit/webhooks-examples), pinned by version and
// SHA-512. They are fetched when a test first needs them, kept below
// testdata/.cache, and not committed.
package spec
