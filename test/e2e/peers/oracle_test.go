package peers

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// verdict is what an answer comes to. Not allowed is no opinion: neither side denies in the list form.
type verdict string

const (
	allowed    verdict = "allowed"
	notAllowed verdict = "not allowed"
	cut        verdict = "connection cut"
	undecided  verdict = "cannot be decided"
)

func verdictOf(isAllowed bool) verdict {
	if isAllowed {
		return allowed
	}
	return notAllowed
}

const (
	identity      = "alpha.kubernetes.io/identity/"
	projectDomain = "keystone.openstack.org/project-domain-id"
	homeDomain    = "default"
)

var id = regexp.MustCompile(`^([0-9a-f]{32}|[0-9a-f]{64})$`)

// reading is an understanding of the policy language: k8s-keystone-auth's, changed by the rows that hold.
type reading map[row]bool

// there is k8s-keystone-auth itself.
func there() reading { return reading{} }

// here is what this project promises.
func here() reading {
	holds := reading{}
	for _, rows := range [][]row{ofRequests, ofDocuments} {
		for _, name := range rows {
			holds[name] = true
		}
	}
	return holds
}

// explanation names the row that makes a difference; alone, when no other one would.
type explanation struct {
	row   row
	alone bool
}

// explain says by which row the promised verdict differs from the peer's; no row, when it does not.
func explain(p policy, asked review) explanation {
	was, is := there().judge(p, asked), here().judge(p, asked)
	if was == is {
		return explanation{}
	}
	var enough []row
	for _, name := range slices.Concat(ofDocuments, ofRequests) {
		if (reading{name: true}).judge(p, asked) == is {
			enough = append(enough, name)
		}
	}
	if len(enough) > 0 {
		return explanation{enough[0], len(enough) == 1}
	}
	// Several grants, each taken away by another row: the one that takes the last of them names the difference.
	together := reading{}
	for _, name := range slices.Concat(ofDocuments, ofRequests) {
		together[name] = true
		if together.judge(p, asked) == is {
			return explanation{name, false}
		}
	}
	return explanation{}
}

func (r reading) judge(p policy, asked review) verdict {
	if asked.Extra == nil || (r[rowAnyExtra] && !asked.fromKeystone()) {
		return notAllowed
	}
	if r[p.fault] {
		// Whoever is no Keystone user is not judged by policies at all, readable ones or not.
		if asked.fromKeystone() {
			return undecided
		}
		return notAllowed
	}
	for _, e := range p.entries {
		if e == nil || (e.appliesTo(r, asked) && e.lacksParts(asked)) {
			return cut
		}
		if e.appliesTo(r, asked) && r.grants(*e, asked) {
			return allowed
		}
	}
	return notAllowed
}

func (asked review) fromKeystone() bool {
	for key := range asked.Extra {
		if strings.HasPrefix(key, identity) {
			return true
		}
	}
	return false
}

func (e *entry) appliesTo(r reading, asked review) bool {
	if e.Users == nil {
		return true
	}
	for _, role := range e.Users.Roles {
		if !slices.Contains(asked.Extra[identity+"roles"], role) {
			return false
		}
	}
	return r.isOfProject(asked, e.Users.Projects)
}

// lacksParts is true where the peer dereferences what is not there.
func (e *entry) lacksParts(asked review) bool {
	if asked.Resource == nil || e.ResourcePermissions != nil || e.Resource == nil {
		return false
	}
	if e.Resource.Version == nil {
		return true
	}
	return isOrStar(*e.Resource.Version, asked.Resource.Group) && e.Resource.Namespace == nil
}

func (r reading) grants(e entry, asked review) bool {
	switch {
	case asked.Resource != nil && e.ResourcePermissions != nil:
		return r.permits(e.ResourcePermissions, *asked.Resource)
	case asked.Resource != nil && e.Resource != nil:
		return e.Resource.covers(*asked.Resource) && r.matches(e.Match, asked)
	case asked.NonResource != nil && e.NonResourcePermissions != nil:
		return takes(e.NonResourcePermissions[asked.NonResource.Path], asked.NonResource.Verb)
	case asked.NonResource != nil && e.NonResource != nil:
		return e.NonResource.covers(*asked.NonResource) && r.matches(e.Match, asked)
	}
	return false
}

// isOfProject is true when a value names the project of whoever asks.
func (r reading) isOfProject(asked review, values []string) bool {
	ids, names := asked.Extra[identity+"project/id"], asked.Extra[identity+"project/name"]
	domain, known := asked.Extra[projectDomain]
	isHome := !known || slices.Equal(domain, []string{homeDomain})
	return slices.ContainsFunc(values, func(value string) bool {
		if !r[rowProjects] {
			return slices.Contains(ids, value) || slices.Contains(names, value)
		}
		if id.MatchString(value) {
			return slices.Contains(ids, value)
		}
		return isHome && slices.Contains(names, value)
	})
}

// permits is version 2's "namespace/resource".
func (r reading) permits(granted permissions, asked resourceRequest) bool {
	for key, verbs := range granted {
		halves := strings.Split(key, "/")
		if len(halves) != 2 {
			continue
		}
		namespace, name := normal(halves[0]), normal(halves[1])
		if asked.Namespace == "" && namespace != "*" {
			continue
		}
		if r[rowSubresources] && asked.Subresource != "" && name != "*" {
			continue
		}
		var lowered []string
		for _, verb := range verbs {
			lowered = append(lowered, strings.ToLower(verb))
		}
		if r.half(namespace, asked.Namespace) && r.half(name, asked.Resource) && takes(lowered, asked.Verb) {
			return true
		}
	}
	return false
}

func normal(half string) string { return strings.ToLower(strings.TrimSpace(half)) }

func (r reading) half(text, asked string) bool {
	if text == "*" {
		return true
	}
	rest, negated := strings.CutPrefix(text, "!")
	if strings.HasPrefix(rest, "[") {
		values, ok := r.list(rest)
		return ok && takes(values, asked) != negated
	}
	if negated {
		return rest != "*" && rest != asked && !(rest == "" && r[rowUnusable])
	}
	return text == asked
}

// list reads "['a', 'b']". The peer takes a null among the values for an empty one, so that a negated list goes on matching.
func (r reading) list(text string) ([]string, bool) {
	var found []*string
	if strings.Index(text, "]") != len(text)-1 || json.Unmarshal([]byte(strings.ReplaceAll(text, "'", `"`)), &found) != nil {
		return nil, false
	}
	var values []string
	for _, value := range found {
		if value != nil {
			values = append(values, *value)
		} else if r[rowUnusable] {
			return nil, false
		}
	}
	return values, true
}

// covers is version 1's resource.
func (spec resource) covers(asked resourceRequest) bool {
	names := []string{"*", asked.Resource}
	if asked.Subresource != "" {
		names = []string{"*", asked.Resource + "/*", asked.Resource + "/" + asked.Subresource}
	}
	return isOrStar(*spec.Version, asked.Group) && isOrStar(*spec.Namespace, asked.Namespace) && takes(spec.Verbs, asked.Verb) &&
		slices.ContainsFunc(names, func(name string) bool { return slices.Contains(spec.Resources, name) })
}

func (spec nonResource) covers(asked nonResourceRequest) bool {
	if spec.Path == nil || slices.Contains(spec.Verbs, "") || !takes(spec.Verbs, asked.Verb) {
		return false
	}
	isPrefix := strings.HasSuffix(*spec.Path, "*") && strings.HasPrefix(asked.Path, strings.TrimRight(*spec.Path, "*"))
	return isPrefix || *spec.Path == asked.Path
}

func (r reading) matches(conditions []condition, asked review) bool {
	return !slices.ContainsFunc(conditions, func(c condition) bool { return !r.holds(c, asked) })
}

func (r reading) holds(c condition, asked review) bool {
	anyOf := func(held []string) bool {
		return slices.ContainsFunc(held, func(one string) bool { return takes(c.Values, one) })
	}
	everybody := slices.Contains(c.Values, "*")
	switch c.Type {
	case "user":
		if everybody || slices.Contains(c.Values, "") {
			return true // the uid never arrives, and an empty one is among the values
		}
		return slices.Contains(c.Values, asked.User) && !(r[rowUserIDs] && id.MatchString(asked.User))
	case "group":
		return everybody || anyOf(asked.Groups)
	case "role":
		return everybody || anyOf(asked.Extra[identity+"roles"])
	case "project":
		return everybody || r.isOfProject(asked, c.Values)
	}
	return false
}

func isOrStar(pattern, asked string) bool { return pattern == "*" || pattern == asked }

func takes(values []string, asked string) bool {
	return slices.Contains(values, "*") || slices.Contains(values, asked)
}
