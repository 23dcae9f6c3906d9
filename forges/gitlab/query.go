package gitlab

import _ "embed"

// The GraphQL queries. Each is static: what a reading does not need is left out
// by its variables, so that the text never changes and the instance caches it.
//
// Types and fields, as GitLab 17.10's reference names them (all of them stand
// there without "Experiment"):
//
//	Query.project(fullPath: ID!): Project · Query.user(username: String): UserCore · Query.group(fullPath: ID!): Group
//	Project: id fullPath webUrl visibility repository mergeRequest(iid: String!): MergeRequest issues(iids: [String!]): IssueConnection
//	Repository: rootRef tree(ref: String): Tree blobs(paths: [String!]!, ref: String): RepositoryBlobConnection
//	Tree: lastCommit: Commit · RepositoryBlob: path oid size rawTextBlob
//	MergeRequest: id iid title description state draft webUrl createdAt updatedAt mergedAt mergeCommitSha sourceBranch targetBranch
//	  diffHeadSha diffRefs preparedAt mergeStatusEnum commitCount sourceProject author labels notes approvedBy reviewers headPipeline commits
//	  commitsWithoutMergeCommits
//	DiffRefs: baseSha headSha startSha
//	Note: id body system systemNoteMetadata{action} createdAt lastEditedAt lastEditedBy author discussion position
//	Discussion: id resolvable resolved · DiffPosition: filePath newLine oldLine diffRefs
//	MergeRequestReviewer: id username name bot mergeRequestInteraction{reviewState}
//	Pipeline: id sha ref status jobs(retried: Boolean): CiJobConnection · CiJob: id name status allowFailure startedAt finishedAt createdAt webPath
//	Issue: iid title description state webUrl createdAt updatedAt closedAt type author labels milestone notes
//	Commit: sha message authorName authorEmail authoredDate committerName committerEmail committedDate author signature
//	CommitSignature (interface): verificationStatus
//	User (interface): id username name bot
//
// Ids are global ids, "gid://gitlab/User/12"; a job's says what it is:
// gid://gitlab/Ci::Build/5, gid://gitlab/GenericCommitStatus/6, gid://gitlab/Ci::Bridge/7.
//
// GitLab refuses a query of more than 250 points for a signed-in account: one
// for each field, one more where it asks the git server, and for a list by a
// resolver one per cent more for each item asked for. changeText has 246 at most,
// with its ten files. That is why lists ask for 50, persons have few fields and
// commits are a query of their own.
var (
	// changeText reads a change, the files of its target branch, and linked
	// issues of its own project: operation "change".
	//go:embed change.graphql
	changeText string
	// commitsText reads the commits of a change: operation "commits".
	//go:embed commits.graphql
	commitsText string
	// issuesText reads issues of another project, or further notes of one issue:
	// operation "issues".
	//go:embed issues.graphql
	issuesText string
	// filesText reads files of a repository at a commit: operation "files".
	//go:embed files.graphql
	filesText string
)
