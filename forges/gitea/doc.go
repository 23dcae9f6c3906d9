// Package gitea speaks to Gitea and Forgejo, which it tells apart by their
// version: it verifies and decodes webhooks, reads a change as facts, and writes
// commit statuses, comments and reactions.
//
// These calls are made, all below /api/v1, as the account the token belongs to:
//
//	GET    /user, /version                                   who we are and what answers; once, the version again each hour
//	GET    /user/repos                                       ListRepos; page, limit
//	GET    /repos/{o}/{r}                                    ListRepos of one repository; Permission
//	GET    /repos/{o}/{r}/pulls                              ListOpen; state, sort, page, limit
//	GET    /repos/{o}/{r}/pulls/{n}                          a change
//	GET    /repos/{o}/{r}/pulls/{n}/reviews                  reviews; page, limit
//	GET    /repos/{o}/{r}/pulls/{n}/reviews/{id}/comments    threads, of a review with comments on lines
//	GET    /repos/{o}/{r}/pulls/{n}/commits                  commits, per head; page, limit
//	GET    /repos/{o}/{r}/pulls/{n}/files                    files, per head; page, limit
//	GET    /repos/{o}/{r}/pulls/{n}.diff                     diffs, and the files of a long list, per head
//	GET    /repos/{o}/{r}/issues/{n}                         a linked issue
//	GET    /repos/{o}/{r}/issues/{n}/comments                comments of a change
//	GET    /repos/{o}/{r}/issues/{n}/timeline                comments, labels and closing words of a linked issue; dismissals of a change
//	GET    /repos/{o}/{r}/issues/{n}/dependencies            of a linked issue bound to an open one
//	GET    /repos/{o}/{r}/commits/{sha}/statuses             checks; sort, page, limit
//	GET    /repos/{o}/{r}/contents/{path}                    a file at a commit
//	GET    /repos/{o}/{r}/file-contents                      several, Gitea from 1.24 on
//	GET    /repos/{o}/{r}/git/commits/{sha}                  ReadFiles at a branch; a commit that may be gone
//	GET    /repos/{o}/{r}/git/commits/{sha}.diff, compare    patches under older approvals
//	GET    /orgs/{o}/teams, /teams/{id}/members, /users/{u}  people; /users/search for an address or a number
//	GET    /repos/{o}/{r}/collaborators/{u}/permission       Permission; assignees where that is refused
//	POST   /repos/{o}/{r}/statuses/{sha}                     SetVerdict
//	POST   /repos/{o}/{r}/issues/{n}/comments                PutComment
//	PATCH  /repos/{o}/{r}/issues/comments/{id}               PutComment
//	POST   /repos/{o}/{r}/issues/comments/{id}/reactions     React
//
// A typical event on a typical change (one linked change request, nothing on
// lines, head and policy seen before) is eight of them: six to read, the status
// and the comment; six alone if the verdict stays as it was. Reviews, statuses,
// comments and an issue each have an answer of their own and none tells whether
// another moved, so that fewer would be a guess.
//
// What it leaves to others: judging, storing, deciding what to write.
package gitea
