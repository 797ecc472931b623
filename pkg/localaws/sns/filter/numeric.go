package filter

// parseNumeric reads a numeric condition: a comparison, or a range that goes
// from a lower to an upper bound ("Numeric value matching").
func parseNumeric(n node) (condition, error) {
	if !n.isArray {
		return nil, refuse("Value of numeric must be an array.")
	}
	terms := n.elements
	if len(terms) == 0 {
		return nil, refuse("Invalid member in numeric match: ]")
	}
	operator, ok := terms[0].string()
	if !ok {
		return nil, refuse("Invalid member in numeric match: %s", terms[0].written())
	}
	name := operator
	switch operator {
	case "=":
		name = "equals"
	case "<", "<=", ">", ">=":
	default:
		return nil, refuse("Unrecognized numeric range operator: %s", operator)
	}
	bound, err := numericBound(name, terms[1:])
	if err != nil {
		return nil, err
	}
	rest := terms[2:]
	switch operator {
	case ">", ">=":
		in := interval{low: &bound, lowIncluded: operator == ">="}
		if len(rest) > 0 {
			if err := in.upTo(rest); err != nil {
				return nil, err
			}
		}
		return each(in.holds), nil
	}
	if len(rest) > 0 {
		return nil, refuse("Too many elements in numeric expression")
	}
	in := interval{high: &bound, highIncluded: operator != "<"}
	if operator == "=" {
		in.low, in.lowIncluded = &bound, true
	}
	return each(in.holds), nil
}

// upTo reads the upper half of a range.
func (in *interval) upTo(terms []node) error {
	operator, ok := terms[0].string()
	switch {
	case !ok:
		return refuse("Bad value in numeric range: %s", terms[0].written())
	case operator != "<" && operator != "<=":
		return refuse("Bad numeric range operator: %s", operator)
	}
	bound, err := numericBound(operator, terms[1:])
	switch {
	case err != nil:
		return err
	case *in.low >= bound:
		return refuse("Bottom must be less than top")
	case len(terms) > 2:
		return refuse("Too many terms in numeric range expression")
	}
	in.high, in.highIncluded = &bound, operator == "<="
	return nil
}

func numericBound(operator string, terms []node) (int64, error) {
	if len(terms) == 0 {
		return 0, refuse("Value of %s must be numeric", operator)
	}
	text, ok := terms[0].number()
	if !ok {
		return 0, refuse("Value of %s must be numeric", operator)
	}
	scaled, inRange, valid := parseNumber(text)
	switch {
	case !valid:
		return 0, refuse("Value of %s must be numeric", operator)
	case !inRange:
		return 0, outOfRange()
	}
	return scaled, nil
}
