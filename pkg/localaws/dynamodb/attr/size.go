package attr

import "strings"

// containerOverhead is what a list or map costs beside its content, and
// elementOverhead what each element or field costs ("DynamoDB item sizes and
// formats").
const (
	containerOverhead = 3
	elementOverhead   = 1
)

// Size returns the value's bytes as DynamoDB counts them, without its name.
func (v Value) Size() int {
	switch v.kind {
	case TypeString, TypeBinary:
		return len(v.text)
	case TypeNumber:
		return numberSize(v.text)
	case TypeBool, TypeNull:
		return 1
	case TypeStringSet, TypeNumberSet, TypeBinarySet:
		total := 0
		for _, member := range v.list {
			total += member.Size()
		}
		return total
	case TypeList:
		total := containerOverhead
		for _, element := range v.list {
			total += elementOverhead + element.Size()
		}
		return total
	case TypeMap:
		total := containerOverhead
		for name, field := range v.fields {
			total += elementOverhead + len(name) + field.Size()
		}
		return total
	}
	return 0
}

// numberSize is one byte, one more for every two significant digits and one
// for a minus sign. Digits pair up from the decimal point, so that 100 has
// one pair and 10 has one pair too.
func numberSize(text string) int {
	size := 1
	if strings.HasPrefix(text, "-") {
		size++
		text = text[1:]
	}
	if text == "0" {
		return size
	}
	whole, fraction, _ := strings.Cut(text, ".")
	if whole == "0" {
		leading := len(fraction) - len(strings.TrimLeft(fraction, "0"))
		return size + (len(fraction)+1)/2 - leading/2
	}
	if fraction != "" {
		return size + (len(whole)+1)/2 + (len(fraction)+1)/2
	}
	trailing := len(whole) - len(strings.TrimRight(whole, "0"))
	return size + (len(whole)+1)/2 - trailing/2
}
