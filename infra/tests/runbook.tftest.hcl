# Who is paged reads the alarm's description, follows it to the runbook, and finds a section there that says what to look at and what
# to do.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  artifacts_dir = "tests/fixtures"
  tokens        = { public_key_file = "tests/fixtures/public.pem" }
}

run "every_kind_of_alarm_has_its_section_and_every_section_its_alarm" {
  assert {
    condition = toset(module.observability.alarm_kinds) == toset([
      for line in split("\n", file("RUNBOOK.md")) : trimprefix(line, "## ") if startswith(line, "## ")
    ])
    error_message = "Alarms without a section: ${join(", ", setsubtract(module.observability.alarm_kinds, [for line in split("\n", file("RUNBOOK.md")) : trimprefix(line, "## ") if startswith(line, "## ")]))}. Sections without an alarm: ${join(", ", setsubtract([for line in split("\n", file("RUNBOOK.md")) : trimprefix(line, "## ") if startswith(line, "## ")], module.observability.alarm_kinds))}."
  }
}

run "every_section_says_what_to_look_at_and_what_to_do" {
  assert {
    condition = alltrue([for kind in module.observability.alarm_kinds : alltrue([
      for part in ["**Look at**", "**Do**"] : strcontains(split("\n## ", split("\n## ${kind}\n", file("RUNBOOK.md"))[1])[0], part)
    ])])
    error_message = "A section of the runbook lacks **Look at** or **Do**."
  }
}
