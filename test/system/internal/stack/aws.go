package stack

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
)

// The SDK's variables for endpoints: one for every service, and one each
// (AWS SDKs and Tools Reference Guide, "Service-specific endpoints").
const endpointVariable = "AWS_ENDPOINT_URL"

var serviceVariables = []string{
	endpointVariable + "_DYNAMODB", endpointVariable + "_DYNAMODB_STREAMS",
	endpointVariable + "_SNS", endpointVariable + "_SQS",
}

// pairs are services that only work together: a table's stream is where the
// table is, and a topic reaches the queues of its own engine alone.
var pairs = [][2]string{
	{endpointVariable + "_DYNAMODB", endpointVariable + "_DYNAMODB_STREAMS"},
	{endpointVariable + "_SNS", endpointVariable + "_SQS"},
}

// credentialVariables are those by which an environment says who it is.
var credentialVariables = []string{
	"AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE",
	"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
}

// AWS says where the processes find the four services.
type AWS struct {
	Region string
	// Local are the variables of the services that localaws serves.
	Local []string
	// Elsewhere are the endpoints of the others, by variable.
	Elsewhere map[string]string
}

// PlanAWS reads the environment's endpoints. What it points nowhere, localaws
// serves.
func PlanAWS(environment map[string]string) (AWS, error) {
	plan := AWS{Region: "us-east-1", Elsewhere: map[string]string{}}
	for _, name := range []string{"AWS_DEFAULT_REGION", "AWS_REGION"} {
		if region := environment[name]; region != "" {
			plan.Region = region
		}
	}
	if strings.EqualFold(environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"], "true") {
		return AWS{}, errors.New("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is true: every endpoint would be ignored and AWS itself be used; unset it")
	}
	var problems []error
	wrong := map[string]bool{} // variables whose value is no URL
	for _, name := range serviceVariables {
		variable := name
		if environment[name] == "" {
			variable = endpointVariable
		}
		switch endpoint := environment[variable]; {
		case endpoint == "":
			plan.Local = append(plan.Local, name)
		case !isURL(endpoint):
			if !wrong[variable] {
				problems = append(problems, fmt.Errorf("%s %q: want a URL, as in http://127.0.0.1:4566", variable, endpoint))
			}
			wrong[variable] = true
		default:
			plan.Elsewhere[name] = endpoint
		}
	}
	for _, pair := range pairs {
		for i, name := range pair {
			other := pair[1-i]
			if slices.Contains(plan.Local, name) && !slices.Contains(plan.Local, other) {
				problems = append(problems, fmt.Errorf("%s points elsewhere and %s does not: the two have to be served by one engine; set both or neither", other, name))
			}
		}
	}
	return plan, errors.Join(problems...)
}

func isURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// AllLocal reports whether nothing is outside this machine's localaws.
func (a AWS) AllLocal() bool { return len(a.Elsewhere) == 0 }

// Real reports whether something is AWS itself, where made-up credentials are of
// no use and the SDK has more places to find true ones than the environment.
func (a AWS) Real() bool {
	for _, endpoint := range a.Elsewhere {
		if u, err := url.Parse(endpoint); err == nil && strings.HasSuffix(u.Hostname(), ".amazonaws.com") {
			return true
		}
	}
	return false
}

// Environment returns what the processes get: the given environment, the local
// endpoint for what localaws serves, and a region. Credentials are made up
// where nothing but localaws would see them, or where there are none.
func (a AWS) Environment(environment map[string]string, localURL string) []string {
	env := map[string]string{}
	maps.Copy(env, environment)
	for _, name := range a.Local {
		env[name] = localURL
	}
	env["AWS_REGION"] = a.Region
	named := slices.ContainsFunc(credentialVariables, func(name string) bool { return env[name] != "" })
	if a.AllLocal() {
		// Neither an account of the user's nor its files have any part in this.
		for _, name := range append([]string{"AWS_SESSION_TOKEN"}, credentialVariables...) {
			delete(env, name)
		}
		env["AWS_CONFIG_FILE"], env["AWS_SHARED_CREDENTIALS_FILE"] = os.DevNull, os.DevNull
	}
	if a.AllLocal() || !named && !a.Real() {
		env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"] = "local", "local"
		env["AWS_EC2_METADATA_DISABLED"] = "true"
	}
	pairs := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		pairs = append(pairs, name+"="+env[name])
	}
	return pairs
}

// serviceNames are the services as people call them, by variable.
var serviceNames = map[string]string{
	serviceVariables[0]: "DynamoDB", serviceVariables[1]: "DynamoDB Streams",
	serviceVariables[2]: "SNS", serviceVariables[3]: "SQS",
}

// LocalServices names what localaws serves.
func (a AWS) LocalServices() string {
	names := make([]string, 0, len(a.Local))
	for _, variable := range a.Local {
		names = append(names, serviceNames[variable])
	}
	return strings.Join(names, ", ")
}

// ElsewhereServices has a line for each service that is elsewhere.
func (a AWS) ElsewhereServices() []string {
	var lines []string
	for _, variable := range serviceVariables {
		if endpoint, ok := a.Elsewhere[variable]; ok {
			lines = append(lines, endpoint+"  "+serviceNames[variable])
		}
	}
	return lines
}
