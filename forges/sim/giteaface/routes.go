package giteaface

// routes names every call the face answers.
func (t *Face) routes() {
	const open = true
	add := func(scope string, open bool, calls []named) {
		for _, n := range calls {
			t.router.add(&route{name: n.name, scope: scope, open: open, do: n.do})
		}
	}
	add("", open, []named{
		{"GET /version", (*call).version},
		{"GET /settings/api", (*call).settings},
	})
	add("user", !open, []named{
		{"GET /user", (*call).getMe},
		{"GET /user/orgs", (*call).listMyOrgs},
		{"GET /user/teams", (*call).listMyTeams},
		{"GET /users/search", (*call).searchUsers},
		{"GET /users/{user}", (*call).getUser},
		{"GET /users/{user}/tokens", (*call).listTokens},
		{"POST /users/{user}/tokens", (*call).createToken},
	})
	add("user repository", !open, []named{{"GET /user/repos", (*call).listMyRepos}})
	add("user repository", !open, []named{{"GET /users/{user}/repos", (*call).listUserRepos}})
	add("admin", !open, []named{{"POST /admin/users", (*call).createUser}})
	add("organization", !open, []named{
		{"GET /users/{user}/orgs/{org}/permissions", (*call).orgPermissions},
		{"POST /orgs/{org}/teams", (*call).createTeam},
		{"PATCH /teams/{id}", (*call).editTeam},
		{"GET /teams/{id}/repos", (*call).listTeamRepos},
		{"GET /teams/{id}/repos/{owner}/{repo}", (*call).getTeamRepo},
		{"PUT /teams/{id}/repos/{owner}/{repo}", (*call).addTeamRepo},
		{"GET /orgs/{org}", (*call).getOrg},
		{"GET /orgs/{org}/repos", (*call).listOrgRepos},
		{"GET /orgs/{org}/teams", (*call).listTeams},
		{"GET /orgs/{org}/teams/search", (*call).searchTeams},
		{"GET /orgs/{org}/members", (*call).listMembers},
		{"GET /orgs/{org}/members/{user}", (*call).isMember},
		{"GET /orgs/{org}/hooks", (*call).listOrgHooks},
		{"POST /orgs/{org}/hooks", (*call).createOrgHook},
		{"GET /orgs/{org}/hooks/{id}", (*call).getOrgHook},
		{"PATCH /orgs/{org}/hooks/{id}", (*call).editOrgHook},
		{"DELETE /orgs/{org}/hooks/{id}", (*call).deleteOrgHook},
		{"GET /teams/{id}", (*call).getTeam},
		{"GET /teams/{id}/members", (*call).listTeamMembers},
		{"GET /teams/{id}/members/{user}", (*call).getTeamMember},
		{"PUT /teams/{id}/members/{user}", (*call).addTeamMember},
		{"DELETE /teams/{id}/members/{user}", (*call).removeTeamMember},
	})
	const repo = "/repos/{owner}/{repo}"
	add("repository", open, []named{
		{"GET /repos/search", (*call).searchRepos},
		{"GET /repositories/{id}", (*call).getRepoByID},
		{"GET " + repo, (*call).getRepo},
		{"GET " + repo + "/branches", (*call).listBranches},
		{"GET " + repo + "/branches/{branch...}", (*call).getBranch},
		{"GET " + repo + "/pulls", (*call).listPulls},
		{"GET " + repo + "/pulls/{index}", (*call).getPull},
		{"GET " + repo + "/pulls/{index}/files", (*call).listFiles},
		{"GET " + repo + "/pulls/{index}/commits", (*call).listPullCommits},
		{"GET " + repo + "/pulls/{index}/merge", (*call).isMerged},
		{"GET " + repo + "/pulls/{index}/reviews", (*call).listReviews},
		{"GET " + repo + "/pulls/{index}/reviews/{id}", (*call).getReview},
		{"GET " + repo + "/pulls/{index}/reviews/{id}/comments", (*call).listReviewComments},
		{"GET " + repo + "/pulls/{base}/{head...}", (*call).getPullByBranches},
		{"GET " + repo + "/statuses/{sha}", (*call).listStatuses},
		{"GET " + repo + "/commits", (*call).listCommits},
		{"GET " + repo + "/commits/{ref}/statuses", (*call).listStatuses},
		{"GET " + repo + "/commits/{ref}/status", (*call).combined},
		{"GET " + repo + "/commits/{sha}/pull", (*call).pullOfCommit},
		{"GET " + repo + "/git/commits/{sha}", (*call).getCommit},
		{"GET " + repo + "/git/blobs/{sha}", (*call).getBlob},
		{"GET " + repo + "/git/trees/{sha}", (*call).getTree},
		{"GET " + repo + "/compare/{basehead...}", (*call).compare},
		{"GET " + repo + "/contents", (*call).getContents},
		{"GET " + repo + "/contents/{path...}", (*call).getContents},
		{"GET " + repo + "/raw/{path...}", (*call).getRaw},
		{"GET " + repo + "/tags", (*call).listTags},
	})
	add("repository", !open, []named{
		{"GET " + repo + "/collaborators/{user}/permission", (*call).permission},
		{"GET " + repo + "/collaborators/{user}", (*call).isCollaborator},
		{"PUT " + repo + "/collaborators/{user}", (*call).addCollaborator},
		{"GET " + repo + "/teams", (*call).listRepoTeams},
		{"GET " + repo + "/assignees", (*call).writers},
		{"GET " + repo + "/reviewers", (*call).writers},
		{"POST " + repo + "/pulls/{index}/update", (*call).updatePull},
		{"GET " + repo + "/branch_protections", (*call).listProtections},
		{"POST " + repo + "/branch_protections", (*call).createProtection},
		{"GET " + repo + "/branch_protections/{name}", (*call).getProtection},
		{"PATCH " + repo + "/branch_protections/{name}", (*call).editProtection},
		{"DELETE " + repo + "/branch_protections/{name}", (*call).deleteProtection},
		{"GET " + repo + "/hooks", (*call).listRepoHooks},
		{"POST " + repo + "/hooks", (*call).createRepoHook},
		{"GET " + repo + "/hooks/{id}", (*call).getRepoHook},
		{"PATCH " + repo + "/hooks/{id}", (*call).editRepoHook},
		{"DELETE " + repo + "/hooks/{id}", (*call).deleteRepoHook},
		{"POST " + repo + "/hooks/{id}/tests", (*call).testRepoHook},
		{"POST " + repo + "/statuses/{sha}", (*call).createStatus},
		{"POST " + repo + "/pulls", (*call).createPull},
		{"PATCH " + repo + "/pulls/{index}", (*call).editPull},
		{"POST " + repo + "/pulls/{index}/merge", (*call).merge},
		{"DELETE " + repo + "/pulls/{index}/merge", (*call).cancelMerge},
		{"POST " + repo + "/pulls/{index}/reviews", (*call).createReview},
		{"POST " + repo + "/pulls/{index}/reviews/{id}/dismissals", (*call).dismissReview},
		{"POST " + repo + "/pulls/{index}/requested_reviewers", (*call).requestReview},
		{"DELETE " + repo + "/pulls/{index}/requested_reviewers", (*call).unrequestReview},
	})
	if !t.forgejo() {
		add("repository", open, []named{
			{"GET " + repo + "/file-contents", (*call).getFileContents},
			{"POST " + repo + "/file-contents", (*call).postFileContents},
		})
	}
	add("issue", open, []named{
		{"GET " + repo + "/issues", (*call).listIssues},
		{"GET " + repo + "/issues/comments/{id}", (*call).getComment},
		{"GET " + repo + "/issues/comments/{id}/reactions", (*call).listCommentReactions},
		{"GET " + repo + "/issues/{index}", (*call).getIssue},
		{"GET " + repo + "/issues/{index}/comments", (*call).listComments},
		{"GET " + repo + "/issues/{index}/timeline", (*call).timeline},
		{"GET " + repo + "/issues/{index}/reactions", (*call).listIssueReactions},
		{"GET " + repo + "/issues/{index}/labels", (*call).listIssueLabels},
		{"GET " + repo + "/issues/{index}/dependencies", (*call).listDependencies},
		{"GET " + repo + "/issues/{index}/blocks", (*call).listBlocks},
		{"GET " + repo + "/labels", (*call).listLabels},
		{"GET " + repo + "/milestones", (*call).listMilestones},
	})
	add("issue", !open, []named{
		{"POST " + repo + "/issues", (*call).createIssue},
		{"PATCH " + repo + "/issues/comments/{id}", (*call).editComment},
		{"DELETE " + repo + "/issues/comments/{id}", (*call).deleteComment},
		{"POST " + repo + "/issues/comments/{id}/reactions", (*call).reactComment},
		{"PATCH " + repo + "/issues/{index}", (*call).editIssue},
		{"DELETE " + repo + "/issues/{index}", (*call).deleteIssue},
		{"POST " + repo + "/issues/{index}/comments", (*call).createComment},
		{"POST " + repo + "/issues/{index}/reactions", (*call).reactIssue},
		{"POST " + repo + "/issues/{index}/labels", (*call).addLabels},
		{"PUT " + repo + "/issues/{index}/labels", (*call).replaceLabels},
		{"DELETE " + repo + "/issues/{index}/labels", (*call).clearLabels},
		{"DELETE " + repo + "/issues/{index}/labels/{id}", (*call).removeLabel},
		{"POST " + repo + "/issues/{index}/dependencies", (*call).addDependency},
		{"DELETE " + repo + "/issues/{index}/dependencies", (*call).removeDependency},
		{"POST " + repo + "/issues/{index}/blocks", (*call).addBlock},
		{"DELETE " + repo + "/issues/{index}/blocks", (*call).removeBlock},
		{"POST " + repo + "/labels", (*call).createLabel},
	})
}

// named is a call by its route.
type named struct {
	name string
	do   func(*call)
}
