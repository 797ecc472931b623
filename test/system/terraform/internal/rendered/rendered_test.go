package rendered

import (
	"strings"
	"testing"
)

// printed is what terraform test prints of a root with a bucket, a setting of
// the bucket and a role with a policy, after a smaller run of one module.
const printed = `There is a warning in the user's configuration
{"type":"version","terraform":"1.11.4"}
{"type":"test_state","test_state":{"root_module":{"resources":[{"address":"aws_s3_bucket.alone","mode":"managed","type":"aws_s3_bucket","values":{"id":"x"}}]}}}
`

const whole = `{"type":"test_state","test_state":{
"provider_schemas":{"registry.terraform.io/hashicorp/aws":{"resource_schemas":{
 "aws_s3_bucket_versioning":{"block":{"attributes":{"bucket":{}},"block_types":{"versioning_configuration":{"nesting_mode":"list","block":{"attributes":{"status":{}}}}}}}}}},
"root_module":{
 "resources":[{"address":"data.aws_region.here","mode":"data","type":"aws_region","values":{"name":"eu-west-1"}}],
 "child_modules":[{"resources":[
  {"address":"module.relay[\"a/v1\"].aws_s3_bucket.failed","mode":"managed","type":"aws_s3_bucket","values":{"id":"mocked","bucket":"failed","acl":null,"tags":{"x":"${y}"}}},
  {"address":"module.relay[\"a/v1\"].aws_s3_bucket_versioning.failed","mode":"managed","type":"aws_s3_bucket_versioning","values":{"bucket":"mocked","versioning_configuration":[{"status":"Enabled"}]}},
  {"address":"module.relay[\"a/v1\"].aws_iam_role_policy.this","mode":"managed","type":"aws_iam_role_policy","values":{"role":"elsewhere","policy":"{\"Version\":\"2012-10-17\"}"}}
 ]}]}}}`

func TestEveryValueIsWrittenOut(t *testing.T) {
	state, err := Read(printed + strings.ReplaceAll(whole, "\n", "") + "\n")
	if err != nil {
		t.Fatal(err)
	}
	want := `# module.relay["a/v1"].aws_s3_bucket.failed
resource "aws_s3_bucket" "module_relay__a_v1___aws_s3_bucket_failed_0" {
  bucket = "failed"
  id = "mocked"
  tags = { "x" = "$${y}" }
}

# module.relay["a/v1"].aws_s3_bucket_versioning.failed
resource "aws_s3_bucket_versioning" "module_relay__a_v1___aws_s3_bucket_versioning_failed_1" {
  bucket = aws_s3_bucket.module_relay__a_v1___aws_s3_bucket_failed_0.id
  versioning_configuration {
    status = "Enabled"
  }
}

# module.relay["a/v1"].aws_iam_role_policy.this
resource "aws_iam_role_policy" "module_relay__a_v1___aws_iam_role_policy_this_2" {
  policy = "{\"Version\":\"2012-10-17\"}"
  role = "elsewhere"
}

`
	if got := string(state.Configuration()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestNothingToRenderIsNoSuccess(t *testing.T) {
	for behaviour, text := range map[string]string{
		"no run":         `{"type":"test_summary"}` + "\n",
		"an empty state": `{"type":"test_state","test_state":{"root_module":{}}}` + "\n",
		"no JSON":        "{ it failed\n",
	} {
		if state, err := Read(text); err == nil {
			t.Errorf("%s: got %d resources, want an error", behaviour, len(state))
		}
	}
}
