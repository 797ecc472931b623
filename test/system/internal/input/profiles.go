package input

// Op is what a profile change does.
type Op string

// The two operations of profile changes.
const (
	Put    Op = "put"
	Delete Op = "delete"
)

// ProfileChange is one line of profile changes: the company's whole profile, or
// that it is gone.
type ProfileChange struct {
	At      Place
	Date    string
	Op      Op
	CIK     string
	Profile Profile // of a put
}

// Profile is a company's profile as the files have it and the profile service
// takes it. Nil is an attribute that is left out, which an empty one is not.
type Profile struct {
	Name         string   `json:"name"`
	Tickers      []string `json:"tickers,omitzero"`
	Sector       *string  `json:"sector,omitzero"`
	SubIndustry  *string  `json:"subIndustry,omitzero"`
	Headquarters *string  `json:"headquarters,omitzero"`
	DateAdded    *string  `json:"dateAdded,omitzero"`
	Founded      *string  `json:"founded,omitzero"`
}

// profileFields are the fields of a put beside date, op and cik.
var profileFields = []string{"name", "tickers", "sector", "subIndustry", "headquarters", "dateAdded", "founded"}

func parseProfileChange(at Place, line []byte) (ProfileChange, error) {
	o, err := readObject(line, append([]string{"date", "op", "cik"}, profileFields...)...)
	if err != nil {
		return ProfileChange{}, err
	}
	c := ProfileChange{At: at, Date: o.date(), Op: Op(o.matching("op", func(s string) bool {
		return Op(s) == Put || Op(s) == Delete
	}, "want put or delete")), CIK: o.cik()}
	switch c.Op {
	case Put:
		c.Profile = Profile{
			Name: o.text("name"), Tickers: o.optionalTexts("tickers"),
			Sector: o.optionalText("sector"), SubIndustry: o.optionalText("subIndustry"),
			Headquarters: o.optionalText("headquarters"), DateAdded: o.optionalText("dateAdded"),
			Founded: o.optionalText("founded"),
		}
	case Delete:
		for _, field := range profileFields {
			if _, ok := o.fields[field]; ok {
				o.wrong(field, "a delete has no attributes")
			}
		}
	}
	return c, o.err()
}

// Rename is a put that gives a company another name than its put before it.
type Rename struct {
	Old, New string
	Change   int // the put's index among the changes
}

// Renames returns the renames among the changes, in their order.
func Renames(changes []ProfileChange) []Rename {
	var renames []Rename
	names := map[string]string{}
	for i, c := range changes {
		if c.Op != Put {
			continue
		}
		if old, ok := names[c.CIK]; ok && old != c.Profile.Name {
			renames = append(renames, Rename{Old: old, New: c.Profile.Name, Change: i})
		}
		names[c.CIK] = c.Profile.Name
	}
	return renames
}

// Final returns the companies of the changes with their last state: nil where
// the last change deletes the company.
func Final(changes []ProfileChange) map[string]*Profile {
	final := map[string]*Profile{}
	for i := range changes {
		if c := &changes[i]; c.Op == Put {
			final[c.CIK] = &c.Profile
		} else {
			final[c.CIK] = nil
		}
	}
	return final
}
