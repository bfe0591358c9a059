package peers

import (
	"encoding/json"
	"maps"
	"slices"
)

// policy is a list-form document. What the peer's decoder passes over is kept apart, in unknown and renamed of an entry.
type policy struct {
	entries []*entry // nil is null
	// fault is the row by which the whole document is refused here; empty for one that is in order.
	fault row
}

type entry struct {
	Users                  *users       `json:"users,omitempty"`
	ResourcePermissions    permissions  `json:"resource_permissions,omitzero"`
	NonResourcePermissions permissions  `json:"nonresource_permissions,omitzero"`
	Resource               *resource    `json:"resource,omitempty"`
	NonResource            *nonResource `json:"nonresource,omitempty"`
	Match                  []condition  `json:"match,omitzero"`

	unknown map[string]any
	renamed map[string]string
	// isSpoilt is true for the one entry for which the document is refused.
	isSpoilt bool
}

type permissions map[string][]string

// sorted goes through the keys in the same order each time, which a seed needs.
func (p permissions) sorted(yield func(string, []string) bool) {
	for _, key := range slices.Sorted(maps.Keys(p)) {
		if !yield(key, p[key]) {
			return
		}
	}
}

type users struct {
	Roles    []string `json:"roles,omitzero"`
	Projects []string `json:"projects,omitzero"`
	Groups   []string `json:"groups,omitzero"` // not in the language
}

type resource struct {
	Verbs     []string `json:"verbs,omitzero"`
	Resources []string `json:"resources,omitzero"`
	Version   *string  `json:"version,omitempty"`
	Namespace *string  `json:"namespace,omitempty"`
	APIGroups []string `json:"apiGroups,omitzero"` // not in the language
}

type nonResource struct {
	Verbs []string `json:"verbs,omitzero"`
	Path  *string  `json:"path,omitempty"`
}

type condition struct {
	Type   string   `json:"type"`
	Values []string `json:"values,omitzero"`
	Value  string   `json:"value,omitempty"` // not in the language
}

func (p policy) MarshalJSON() ([]byte, error) {
	entries := []any{}
	for _, e := range p.entries {
		if e == nil {
			entries = append(entries, nil)
			continue
		}
		fields := map[string]any{}
		if err := json.Unmarshal(marshal(*e), &fields); err != nil {
			return nil, err
		}
		for from, to := range e.renamed {
			if value, present := fields[from]; present {
				delete(fields, from)
				fields[to] = value
			}
		}
		for key, value := range e.unknown {
			fields[key] = value
		}
		entries = append(entries, fields)
	}
	return marshal(entries), nil
}

const authorizationGroup = "authorization.k8s.io/"

// review is a SubjectAccessReview's spec.
type review struct {
	User        string              `json:"user"`
	UID         string              `json:"uid,omitempty"`
	Groups      []string            `json:"groups"`
	Extra       map[string][]string `json:"extra,omitzero"`
	Resource    *resourceRequest    `json:"resourceAttributes,omitempty"`
	NonResource *nonResourceRequest `json:"nonResourceAttributes,omitempty"`
}

type resourceRequest struct {
	Verb        string `json:"verb,omitempty"`
	Namespace   string `json:"namespace,omitempty"`
	Group       string `json:"group,omitempty"`
	Version     string `json:"version,omitempty"`
	Resource    string `json:"resource,omitempty"`
	Subresource string `json:"subresource,omitempty"`
	Name        string `json:"name,omitempty"`
}

type nonResourceRequest struct {
	Verb string `json:"verb,omitempty"`
	Path string `json:"path,omitempty"`
}

// body is the review in one version; v1beta1 calls the groups "group", and the peer insists on them.
func (r review) body(version string) []byte {
	var spec map[string]any
	if err := json.Unmarshal(marshal(r), &spec); err != nil {
		panic(err)
	}
	if version == "v1beta1" {
		spec["group"] = r.Groups
		delete(spec, "groups")
	}
	return marshal(map[string]any{"apiVersion": authorizationGroup + version, "kind": "SubjectAccessReview", "spec": spec})
}
