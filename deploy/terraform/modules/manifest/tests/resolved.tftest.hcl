# What Terraform makes of manifests is what the programs make of them:
# testdata/resolved.json is written by Go, whose own test says when it is out of
# date (test/system/architecture).

run "manifests_are_read_as_the_programs_read_them" {
  command = plan

  module {
    source = "./tests/compared"
  }

  assert {
    condition     = length(output.manifests) == 3
    error_message = "The comparison is with ${join(", ", output.manifests)}."
  }
  assert {
    condition     = jsonencode(output.got) == jsonencode(output.want)
    error_message = "Terraform: ${jsonencode(output.got)}\nthe programs: ${jsonencode(output.want)}"
  }
  assert {
    condition     = alltrue([for file, problems in output.problems : length(problems) == 0])
    error_message = "A sound manifest is refused: ${jsonencode(output.problems)}"
  }
}

run "sound_manifests_are_passed_on" {
  command = plan

  variables {
    text = file("testdata/minimal.yaml")
  }

  assert {
    condition     = output.service == "billing" && keys(output.tables) == ["accounts", "companies", "invoices"] && keys(output.publications) == ["billing.account/v1"] && keys(output.subscriptions) == ["company.filings/v2", "company.profile/v1"]
    error_message = "The manifest is not passed on."
  }
}

run "what_is_no_manifest_is_refused" {
  command = plan

  variables {
    text = "replication.yaml"
  }

  expect_failures = [var.text]
}

run "what_is_unsafe_is_found" {
  command = plan

  module {
    source = "./tests/refused"
  }

  assert {
    condition     = output.rules >= 25
    error_message = "Only ${output.rules} rules are tried."
  }
  assert {
    condition     = length(output.missed) == 0
    error_message = "Not refused by the rule that it breaks:\n${join("\n", output.missed)}"
  }
}

run "what_is_unsafe_is_refused" {
  command = plan

  variables {
    text = file("testdata/unsafe.yaml")
  }

  expect_failures = [output.service]
}
