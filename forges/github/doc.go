// Package github speaks to GitHub and GitHub Enterprise Server: it verifies and
// decodes webhooks, reads a change as facts, and writes checks, comments and
// reactions.
//
// A whole change is one GraphQL query (change.graphql); the other .graphql files
// are its fragments and the follow-ups that only large changes need. Besides
// POST /graphql, these REST calls are made, all with
// "Accept: application/vnd.github+json" and an "X-GitHub-Api-Version":
//
// As the app (a JWT):
//
//	GET    /app                                              who we are: id, slug
//	GET    /app/installations                                ListRepos; per_page, page
//	POST   /app/installations/{id}/access_tokens             a token, by ghinstallation
//	GET    /repos/{o}/{r}/installation                       when a RepoRef names no installation
//	GET    /app/hook/deliveries                              Redeliver; per_page, cursor (Link)
//	POST   /app/hook/deliveries/{id}/attempts                Redeliver
//
// As the installation, or with a plain token:
//
//	GET    /installation/repositories                        ListRepos; per_page, page
//	GET    /repos/{o}/{r}                                    ListRepos with a plain token
//	GET    /repos/{o}/{r}/pulls                              ListOpen; state, sort, direction, per_page, page
//	GET    /repos/{o}/{r}/pulls/{n}/files                    previous paths, patches, more than 100 files; per_page, page
//	GET    /repos/{o}/{r}/compare/{base}...{head}            patches under older approvals, merge base, queue; per_page, page
//	GET    /repos/{o}/{r}/git/trees/{sha}                    past 3,000 files; recursive=1
//	GET    /repos/{o}/{r}/git/blobs/{sha}                    files GraphQL cuts off
//	POST   /repos/{o}/{r}/check-runs                         SetVerdict
//	PATCH  /repos/{o}/{r}/check-runs/{id}                    SetVerdict
//	POST   /repos/{o}/{r}/statuses/{sha}                     SetVerdict with a token that may not write checks
//	POST   /repos/{o}/{r}/issues/{n}/comments                PutComment
//	PATCH  /repos/{o}/{r}/issues/comments/{id}               PutComment
//	POST   /repos/{o}/{r}/issues/comments/{id}/reactions     React
//	POST   /repos/{o}/{r}/pulls/comments/{id}/reactions      React, on a review comment
//	GET    /repos/{o}/{r}/pulls/{n}/reviews/{id}             React, on a review: its node id for GraphQL
//	GET    /repos/{o}/{r}/collaborators/{login}/permission   Permission
//
// What it leaves to others: judging, storing, deciding what to write.
package github
