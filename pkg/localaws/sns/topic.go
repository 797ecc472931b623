package sns

// topic is a topic and what hangs off it; Service.mu guards it.
type topic struct {
	arn string
}
