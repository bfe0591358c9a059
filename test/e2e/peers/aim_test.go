package peers

import "strings"

// aim turns a random review into one that an entry of the policy might allow: by chance alone hardly any would be.
func (asked *review) aim(d dice, p policy) {
	if len(p.entries) == 0 {
		return
	}
	e := one(d, p.entries)
	if e == nil {
		return
	}
	if len(asked.Extra) > 0 {
		asked.aimAtUsers(d, *e)
	}
	switch {
	case asked.Resource != nil && e.ResourcePermissions != nil:
		for key, granted := range e.ResourcePermissions.sorted {
			if d.chance(50) {
				namespace, name, _ := strings.Cut(key, "/")
				asked.Resource.Namespace = nearHalf(d, namespace, asked.Resource.Namespace)
				asked.Resource.Resource = nearHalf(d, name, asked.Resource.Resource)
				asked.Resource.Verb = strings.ToLower(near(d, granted, asked.Resource.Verb))
				return
			}
		}
	case asked.Resource != nil && e.Resource != nil:
		asked.Resource.aimAtVersion1(d, *e.Resource)
	case asked.NonResource != nil && e.NonResourcePermissions != nil:
		for path, granted := range e.NonResourcePermissions.sorted {
			if d.chance(50) {
				asked.NonResource.Path, asked.NonResource.Verb = path, near(d, granted, asked.NonResource.Verb)
				return
			}
		}
	case asked.NonResource != nil && e.NonResource != nil:
		asked.NonResource.Verb = near(d, e.NonResource.Verbs, asked.NonResource.Verb)
		if e.NonResource.Path != nil {
			asked.NonResource.Path = strings.TrimRight(*e.NonResource.Path, "*") + one(d, []string{"", "", "/more", "*"})
		}
	}
}

func (asked *review) aimAtUsers(d dice, e entry) {
	var roles, projects []string
	if e.Users != nil {
		roles, projects = e.Users.Roles, e.Users.Projects
	}
	for _, c := range e.Match {
		switch c.Type {
		case "user":
			asked.User = near(d, c.Values, asked.User)
		case "group":
			asked.Groups = append(asked.Groups, near(d, c.Values, "ops"))
		case "role":
			roles = append(roles[:len(roles):len(roles)], near(d, c.Values, "member"))
		case "project":
			projects = c.Values
		}
	}
	if len(roles) > 0 {
		asked.Extra[identity+"roles"] = append(roles[:len(roles):len(roles)], one(d, roleNames))
	}
	if len(projects) > 0 {
		// Names where ids belong are for the rows on ids and names; a real Keystone has none.
		asked.Extra[identity+one(d, []string{"project/id", "project/name"})] = []string{one(d, projects)}
	}
}

func (asked *resourceRequest) aimAtVersion1(d dice, spec resource) {
	asked.Verb = near(d, spec.Verbs, asked.Verb)
	if spec.Version != nil {
		asked.Group = near(d, []string{*spec.Version}, asked.Group)
	}
	if spec.Namespace != nil {
		asked.Namespace = near(d, []string{*spec.Namespace}, asked.Namespace)
	}
	name, subresource, hasSubresource := strings.Cut(near(d, spec.Resources, asked.Resource), "/")
	if name != "" && name != "*" {
		asked.Resource = name
	}
	if hasSubresource && subresource != "*" {
		asked.Subresource = subresource
	} else if !hasSubresource && d.chance(70) {
		asked.Subresource = ""
	}
}

// near picks one of the values; the other one when there is none or when it is a wildcard.
func near(d dice, values []string, other string) string {
	if len(values) == 0 {
		return other
	}
	if picked := one(d, values); picked != "*" {
		return picked
	}
	return other
}

// nearHalf takes a plain half as it is, and for what is odd, a value that it could be taken for.
func nearHalf(d dice, half, other string) string {
	text := normal(half)
	switch {
	case text == "*" || strings.HasPrefix(text, "!"):
		return other
	case strings.HasPrefix(text, "["):
		values := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("[]'\", ", r) })
		if len(values) > 0 && d.chance(60) {
			return near(d, values, other)
		}
	case strings.IndexFunc(text, func(r rune) bool { return r > 'z' || strings.ContainsRune("[]*", r) }) < 0 && text != "":
		return text
	}
	return one(d, oddValues)
}
