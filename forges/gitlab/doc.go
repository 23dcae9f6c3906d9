// Package gitlab speaks to GitLab, on gitlab.com and self-managed: it verifies and
// decodes webhooks, reads a change as facts, and writes verdicts, notes and
// reactions.
//
// Who it is: the account of an access token with the scope api, a Developer of
// the projects it judges or more; group access tokens and service accounts are
// such accounts. There is nothing like an app. It never pushes.
//
// # Calls
//
// REST goes through github.com/xanzy/go-gitlab, which is what the project was
// asked to use; the library moved and this copy is frozen, so nothing outside
// this package imports it. Its retries are off, since it repeats a POST too.
//
//	POST   /api/graphql                                                   change, commits, issues, files: see query.go
//	GET    /user                                                          who we are, once
//	GET    /users                                                         a login, or whose an address is; username or search
//	GET    /projects                                                      ListRepos; membership, archived, order_by, sort, page
//	GET    /projects/:id                                                  a project whose name changed
//	GET    /projects/:id/merge_requests                                   ListOpen; state, order_by, sort, page
//	GET    /projects/:id/merge_requests/:iid                              merged commit; head pipeline after a restart
//	GET    /projects/:id/merge_requests/:iid/diffs                        files of a new version
//	GET    /projects/:id/merge_requests/:iid/versions                     which commit an approval was given on; are the files all
//	GET    /projects/:id/merge_requests/:iid/closes_issues                each reading: GraphQL has no such field
//	GET    /projects/:id/merge_requests/:iid/status_checks                where they are the way to block, every five minutes
//	GET    /projects/:id/merge_requests/:iid/approvals                    when an approval was given, once for each; does ours stand
//	POST   /projects/:id/merge_requests/:iid/status_check_responses       SetVerdict
//	POST   /projects/:id/merge_requests/:iid/approve, …/unapprove         SetVerdict
//	POST   /projects/:id/statuses/:sha                                    SetVerdict
//	POST   /projects/:id/jobs/:job/retry                                  SetVerdict
//	GET    /projects/:id/external_status_checks, …/approval_rules         by what verdicts block, every ten minutes
//	GET    /projects/:id/repository/commits/:sha/statuses                 who set a status, once for each
//	GET    /projects/:id/repository/commits/:sha/merge_requests           whose head a commit is, after a restart
//	GET    /projects/:id/repository/compare                               patches under older approvals; past the limits of diffs
//	GET    /projects/:id/repository/files/:path/raw                       files GraphQL cuts off or converts
//	GET    /projects/:id/issues/:iid/resource_label_events                each reading and issue: GraphQL has no such field
//	GET    /projects/:id/members/all/:user                                Permission
//	GET    /groups/:path, /groups/:id/members/all                         people, every ten minutes
//	POST   /projects/:id/merge_requests/:iid/notes, PUT …/:note           PutComment
//	POST   /projects/:id/{merge_requests,issues}/:iid/notes/:note/award_emoji   React; GET where GitLab says that it stands
//
// One judged event takes five calls where all but the event was seen before, on
// a change with one linked issue: the query, the issues GitLab will close, the
// label events of the issue, the verdict, and the comment; three if the verdict
// stands, none of them a write. Each further linked issue adds one. It is not
// fewer because GraphQL tells neither which issues a change closes nor who set a
// label (both are asked in full each time: a link removed by hand, or an approval
// by label taken back, touches nothing that would say so), and because GitLab has
// no call that sets a status and writes a note at once. An approval seen for the
// first time adds two, when it was given and which versions there are: nothing
// that was seen before the approval proves what stood then. A push adds the diffs,
// the versions and the commits, and who started the jobs of the new pipeline;
// and a comparison for each approval on an older commit.
//
// # Approvals
//
// GitLab does not keep the commit of an approval, and tells of it late: its
// delivery and its note are made by workers, with the head as it is by then. So
// neither proves a commit. The time of the approval is asked for and held against
// the versions of the change; who approves in the instant of a push approved what
// was there before. Instances that do not tell that time have the note alone, so
// there the version counts that stood a minute before it, in which GitLab means
// to have begun such work.
//
// # Verdicts
//
// Config.Way names by what a verdict blocks, or it is found for each project: an
// external status check named primum whose deliveries go to our own host, else
// an approval rule named Primum that only our account satisfies, else a commit
// status. A job in the pipeline is never found, only fixed: whoever writes the
// change could add one of that name that always passes. With it the adapter sets
// nothing; it has the job run again where it says otherwise than the verdict.
//
// A verdict that waits is set as failed. An external status check that is pending
// turns failed after two minutes, and a pending commit status leaves the pipeline
// running, which GitLab takes for a reason to wait on some pages and to refuse on
// others, and which nothing ends if we stop.
//
// A commit status is a job of a pipeline. It goes to the head pipeline of each
// open change whose head the commit is, by its number; where the pipeline is gone
// meanwhile, to the branch. Each is a new job that hides the one before, so that
// one set by somebody else is covered too. When a new pipeline begins, ours is
// not in it: the reading shows that, and the core sets it again.
//
// # Words
//
// A note of ours must not act: GitLab carries out lines that begin with a slash
// ("/merge") in the name of who writes them, so such lines are written so that
// they are shown and not carried out.
//
// What it leaves to others: judging, storing, deciding what to write.
package gitlab
