package peers

// spoil puts one thing into the document for which the whole of it is refused here. The entries stay what the peer makes of them.
func (p *policy) spoil(d dice) {
	kinds := []struct {
		row  row
		with func(dice, *entry)
	}{
		{rowPanic, nil},
		{rowPanic, withoutVersion},
		{rowPanic, withoutNamespace},
		{rowMistyped, withUnknownKey},
		{rowMistyped, withMistypedUsers},
		{rowMistyped, withMistypedMatch},
		{rowNulls, withNull},
		{rowNulls, withOtherCase},
		{rowVariables, withVariable},
		{rowVariables, withVariableKey},
	}
	kind := one(d, kinds)
	p.fault = kind.row
	if kind.with == nil {
		p.entries = append(p.entries, nil)
		return
	}
	e := randomEntry(d)
	kind.with(d, &e)
	e.isSpoilt = true
	p.entries = append(p.entries, &e)
	d.Shuffle(len(p.entries), func(i, j int) { p.entries[i], p.entries[j] = p.entries[j], p.entries[i] })
}

func withoutVersion(d dice, e *entry) {
	*e = entry{Resource: &resource{Verbs: randomVerbs(d), Resources: []string{"*"}, Namespace: pointer("*")}}
}

func withoutNamespace(d dice, e *entry) {
	*e = entry{Resource: &resource{Verbs: randomVerbs(d), Resources: []string{"*"}, Version: pointer("*")}}
}

// Keys that every JavaScript object has are no better known than others.
func withUnknownKey(d dice, e *entry) {
	e.unknown = map[string]any{one(d, []string{"comment", "resources", "toString", "constructor", "__proto__"}): map[string]any{}}
}

// "user" for "users": the peer installs the entry for everyone.
func withMistypedUsers(d dice, e *entry) {
	if d.chance(50) {
		e.unknown, e.Users = map[string]any{"user": randomUsers(d)}, nil
		return
	}
	e.Users = randomUsers(d)
	e.Users.Groups = []string{"developers"}
}

func withMistypedMatch(d dice, e *entry) {
	e.addVersion1(d)
	switch d.IntN(3) {
	case 0:
		e.unknown, e.Match = map[string]any{"matches": []condition{randomCondition(d)}}, nil
	case 1:
		e.Match = []condition{{Type: "role", Values: []string{"*"}, Value: "admin"}}
	default:
		e.Resource = &resource{Verbs: []string{"*"}, Resources: []string{"*"}, Version: pointer("*"), Namespace: pointer("*"), APIGroups: []string{"apps"}}
	}
}

// null is nothing to the peer.
func withNull(d dice, e *entry) {
	switch one(d, []string{"users", "match", "resource_permissions", "nonresource_permissions"}) {
	case "users":
		e.Users, e.unknown = nil, map[string]any{"users": nil}
	case "match":
		e.Match, e.unknown = nil, map[string]any{"match": nil}
	case "resource_permissions":
		e.ResourcePermissions, e.unknown = nil, map[string]any{"resource_permissions": nil}
	default:
		e.NonResourcePermissions, e.unknown = nil, map[string]any{"nonresource_permissions": nil}
	}
}

// The peer reads keys in any case.
func withOtherCase(d dice, e *entry) {
	e.Users = randomUsers(d)
	e.renamed = map[string]string{"users": one(d, []string{"Users", "USERS"})}
}

func withVariable(d dice, e *entry) {
	e.Users = randomUsers(d)
	e.Users.Projects = append(e.Users.Projects, one(d, []string{"$PROJECT_ID", "${PROJECT_ID}"}))
}

func withVariableKey(d dice, e *entry) {
	if e.ResourcePermissions == nil {
		e.ResourcePermissions = permissions{}
	}
	e.ResourcePermissions["$NAMESPACE/pods"] = randomVerbs(d)
}
