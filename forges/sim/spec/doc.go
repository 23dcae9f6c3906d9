// Package spec is test support: it holds what the adapters ask, what the
// simulated faces answer and the webhooks they send against the forges' own
// descriptions, so that the simulation cannot drift into a convenient fiction.
//
// GitHub's come from npm (@octokit/openapi, @octokit/graphql-schema,
// @octokit/openapi-webhooks, @octokit/webhooks-examples), pinned by version and
// SHA-512. They are fetched when a test first needs them, kept below
// testdata/.cache, and not committed. What the other forges describe of theirs
// stands in testdata/specs; of GitLab's GraphQL schema and of its webhooks, which
// it describes in words only, the parts that are used are written down here.
package spec
