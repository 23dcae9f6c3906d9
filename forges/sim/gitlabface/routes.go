package gitlabface

// routes names every call the face answers. The first word says which part
// Forbid takes it away by.
func (t *Face) routes() {
	for part, of := range map[string]map[string]func(*call) error{
		"":               general(),
		"members":        memberRoutes(),
		"statuses":       statusRoutes(),
		"pipelines":      pipelineRoutes(),
		"issues":         issueRoutes(),
		"merge_requests": mergeRequestRoutes(),
		"notes":          noteRoutes(),
		"award_emoji":    awardRoutes(),
		"hooks":          hookRoutes(),
		"approvals":      approvalRoutes(),
	} {
		for route, fn := range of {
			t.mux.HandleFunc(route, t.handle(part, fn))
		}
	}
}

func general() map[string]func(*call) error {
	return map[string]func(*call) error{
		"POST " + graphPath:                       (*call).graphql,
		"GET /api/v4/version":                     (*call).version,
		"GET /api/v4/metadata":                    (*call).metadata,
		"GET /api/v4/user":                        (*call).self,
		"GET /api/v4/users":                       (*call).listUsers,
		"GET /api/v4/users/{user}":                (*call).getUser,
		"GET /api/v4/personal_access_tokens/self": (*call).ownToken,
		"GET /api/v4/projects":                    (*call).listProjects,
		"GET /api/v4/projects/{id}":               (*call).getProject,
		"PUT /api/v4/projects/{id}":               (*call).editProject,

		"GET /api/v4/projects/{id}/repository/files/{path}":            (*call).getFile,
		"HEAD /api/v4/projects/{id}/repository/files/{path}":           (*call).getFile,
		"GET /api/v4/projects/{id}/repository/files/{path}/raw":        (*call).rawFile,
		"GET /api/v4/projects/{id}/repository/blobs/{sha}":             (*call).getBlob,
		"GET /api/v4/projects/{id}/repository/blobs/{sha}/raw":         (*call).rawBlob,
		"GET /api/v4/projects/{id}/repository/tree":                    (*call).listTree,
		"GET /api/v4/projects/{id}/repository/compare":                 (*call).compare,
		"GET /api/v4/projects/{id}/repository/merge_base":              (*call).mergeBase,
		"GET /api/v4/projects/{id}/repository/commits":                 (*call).listCommits,
		"GET /api/v4/projects/{id}/repository/commits/{sha}":           (*call).getCommit,
		"GET /api/v4/projects/{id}/repository/commits/{sha}/signature": (*call).signature,
		"GET /api/v4/projects/{id}/repository/branches":                (*call).listBranches,
		"GET /api/v4/projects/{id}/repository/branches/{branch}":       (*call).getBranch,
		"GET /api/v4/projects/{id}/protected_branches":                 (*call).listProtected,
		"POST /api/v4/projects/{id}/protected_branches":                (*call).protect,
		"DELETE /api/v4/projects/{id}/protected_branches/{branch}":     (*call).unprotect,
		"GET /api/v4/projects/{id}/protected_branches/{branch}":        (*call).getProtected,
	}
}

func memberRoutes() map[string]func(*call) error {
	return map[string]func(*call) error{
		"GET /api/v4/groups":                           (*call).listGroups,
		"GET /api/v4/groups/{id}":                      (*call).getGroup,
		"GET /api/v4/groups/{id}/subgroups":            (*call).listSubgroups,
		"GET /api/v4/groups/{id}/descendant_groups":    (*call).listDescendants,
		"GET /api/v4/groups/{id}/projects":             (*call).listGroupProjects,
		"GET /api/v4/groups/{id}/members":              (*call).groupMembers,
		"GET /api/v4/groups/{id}/members/{user}":       (*call).groupMembers,
		"GET /api/v4/groups/{id}/members/all":          (*call).allGroupMembers,
		"GET /api/v4/groups/{id}/members/all/{user}":   (*call).allGroupMembers,
		"POST /api/v4/groups/{id}/members":             (*call).addGroupMember,
		"PUT /api/v4/groups/{id}/members/{user}":       (*call).editGroupMember,
		"GET /api/v4/groups/{id}/access_tokens":        (*call).groupTokens,
		"POST /api/v4/groups/{id}/access_tokens":       (*call).createGroupToken,
		"GET /api/v4/projects/{id}/access_tokens":      (*call).projectTokens,
		"POST /api/v4/projects/{id}/access_tokens":     (*call).createProjectToken,
		"GET /api/v4/projects/{id}/members":            (*call).members,
		"GET /api/v4/projects/{id}/members/{user}":     (*call).members,
		"GET /api/v4/projects/{id}/members/all":        (*call).allMembers,
		"GET /api/v4/projects/{id}/members/all/{user}": (*call).allMembers,
		"POST /api/v4/projects/{id}/members":           (*call).addMember,
		"PUT /api/v4/projects/{id}/members/{user}":     (*call).editMember,
	}
}

func statusRoutes() map[string]func(*call) error {
	return map[string]func(*call) error{
		"POST /api/v4/projects/{id}/statuses/{sha}":                                   (*call).createStatus,
		"GET /api/v4/projects/{id}/repository/commits/{sha}/statuses":                 (*call).listStatuses,
		"GET /api/v4/projects/{id}/external_status_checks":                            (*call).listChecks,
		"POST /api/v4/projects/{id}/external_status_checks":                           (*call).createCheck,
		"PUT /api/v4/projects/{id}/external_status_checks/{check}":                    (*call).editCheck,
		"DELETE /api/v4/projects/{id}/external_status_checks/{check}":                 (*call).deleteCheck,
		"GET /api/v4/projects/{id}/merge_requests/{iid}/status_checks":                (*call).mergeRequestChecks,
		"POST /api/v4/projects/{id}/merge_requests/{iid}/status_check_responses":      (*call).respond,
		"POST /api/v4/projects/{id}/merge_requests/{iid}/status_checks/{check}/retry": (*call).retryCheck,
	}
}

func pipelineRoutes() map[string]func(*call) error {
	return map[string]func(*call) error{
		"GET /api/v4/projects/{id}/pipelines":                       (*call).listPipelines,
		"GET /api/v4/projects/{id}/pipelines/{pipeline}":            (*call).getPipeline,
		"GET /api/v4/projects/{id}/pipelines/{pipeline}/jobs":       (*call).listJobs,
		"POST /api/v4/projects/{id}/pipeline":                       (*call).createPipeline,
		"GET /api/v4/projects/{id}/merge_requests/{iid}/pipelines":  (*call).listMergeRequestPipelines,
		"POST /api/v4/projects/{id}/merge_requests/{iid}/pipelines": (*call).createMergeRequestPipeline,
	}
}

func mergeRequestRoutes() map[string]func(*call) error {
	return map[string]func(*call) error{
		"GET /api/v4/projects/{id}/merge_requests":                          (*call).listMergeRequests,
		"GET /api/v4/projects/{id}/merge_requests/{iid}":                    (*call).getMergeRequest,
		"PUT /api/v4/projects/{id}/merge_requests/{iid}":                    (*call).editMergeRequest,
		"PUT /api/v4/projects/{id}/merge_requests/{iid}/merge":              (*call).merge,
		"GET /api/v4/projects/{id}/merge_requests/{iid}/diffs":              (*call).listDiffs,
		"GET /api/v4/projects/{id}/merge_requests/{iid}/changes":            (*call).getChanges,
		"GET /api/v4/projects/{id}/merge_requests/{iid}/versions":           (*call).listVersions,
		"GET /api/v4/projects/{id}/merge_requests/{iid}/versions/{version}": (*call).getVersion,
		"GET /api/v4/projects/{id}/merge_requests/{iid}/commits":            (*call).listMergeRequestCommits,
		"GET /api/v4/projects/{id}/merge_requests/{iid}/closes_issues":      (*call).closesIssues,
		"GET /api/v4/projects/{id}/merge_requests/{iid}/related_issues":     (*call).relatedIssues,
		"GET /api/v4/projects/{id}/merge_requests/{iid}/reviewers":          (*call).listReviewers,
		"GET /api/v4/projects/{id}/repository/commits/{sha}/merge_requests": (*call).commitMergeRequests,
	}
}

func approvalRoutes() map[string]func(*call) error {
	return map[string]func(*call) error{
		"GET /api/v4/projects/{id}/merge_requests/{iid}/approvals":      (*call).getApprovals,
		"POST /api/v4/projects/{id}/merge_requests/{iid}/approve":       (*call).approve,
		"POST /api/v4/projects/{id}/merge_requests/{iid}/unapprove":     (*call).unapprove,
		"GET /api/v4/projects/{id}/merge_requests/{iid}/approval_state": (*call).approvalState,
		"GET /api/v4/projects/{id}/merge_requests/{iid}/approval_rules": (*call).mergeRequestRules,
		"GET /api/v4/projects/{id}/approvals":                           (*call).approvalSettings,
		"POST /api/v4/projects/{id}/approvals":                          (*call).setApprovalSettings,
		"GET /api/v4/projects/{id}/approval_rules":                      (*call).listRules,
		"POST /api/v4/projects/{id}/approval_rules":                     (*call).createRule,
		"PUT /api/v4/projects/{id}/approval_rules/{rule}":               (*call).editRule,
		"DELETE /api/v4/projects/{id}/approval_rules/{rule}":            (*call).deleteRule,
	}
}

func issueRoutes() map[string]func(*call) error {
	return map[string]func(*call) error{
		"GET /api/v4/projects/{id}/issues":                                     (*call).listIssues,
		"GET /api/v4/projects/{id}/issues/{iid}":                               (*call).getIssue,
		"PUT /api/v4/projects/{id}/issues/{iid}":                               (*call).editIssue,
		"GET /api/v4/projects/{id}/issues/{iid}/resource_label_events":         (*call).labelEvents,
		"GET /api/v4/projects/{id}/issues/{iid}/resource_state_events":         (*call).stateEvents,
		"GET /api/v4/projects/{id}/issues/{iid}/links":                         (*call).issueLinks,
		"GET /api/v4/projects/{id}/issues/{iid}/closed_by":                     (*call).closedBy,
		"GET /api/v4/projects/{id}/issues/{iid}/related_merge_requests":        (*call).closedBy,
		"GET /api/v4/projects/{id}/labels":                                     (*call).listLabels,
		"GET /api/v4/projects/{id}/merge_requests/{iid}/resource_label_events": (*call).labelEvents,
	}
}

func noteRoutes() map[string]func(*call) error {
	out := map[string]func(*call) error{}
	for _, kind := range []string{"issues", "merge_requests"} {
		at := "/api/v4/projects/{id}/" + kind + "/{iid}/"
		out["GET "+at+"notes"] = (*call).listNotes
		out["POST "+at+"notes"] = (*call).createNote
		out["GET "+at+"notes/{note}"] = (*call).getNote
		out["PUT "+at+"notes/{note}"] = (*call).editNote
		out["DELETE "+at+"notes/{note}"] = (*call).deleteNote
		out["GET "+at+"discussions"] = (*call).listDiscussions
		out["GET "+at+"discussions/{discussion}"] = (*call).getDiscussion
	}
	return out
}

func awardRoutes() map[string]func(*call) error {
	out := map[string]func(*call) error{}
	for _, kind := range []string{"issues", "merge_requests"} {
		at := "/api/v4/projects/{id}/" + kind + "/{iid}/notes/{note}/award_emoji"
		out["GET "+at] = (*call).listAwards
		out["POST "+at] = (*call).createAward
	}
	return out
}

func hookRoutes() map[string]func(*call) error {
	out := map[string]func(*call) error{}
	for _, kind := range []string{"projects", "groups"} {
		at := "/api/v4/" + kind + "/{id}/hooks"
		out["GET "+at] = (*call).listHooks
		out["POST "+at] = (*call).createHook
		out["GET "+at+"/{hook}"] = (*call).getHook
		out["PUT "+at+"/{hook}"] = (*call).editHook
		out["DELETE "+at+"/{hook}"] = (*call).deleteHook
		out["POST "+at+"/{hook}/test/{trigger}"] = (*call).testHook
		out["GET "+at+"/{hook}/events"] = (*call).hookEvents
		out["POST "+at+"/{hook}/events/{log}/resend"] = (*call).resend
	}
	return out
}
