# A service's manifest, as its code reads it: with its defaults, and refused where
# it is unsafe. reading does both; here a plan ends.

module "reading" {
  source = "./reading"

  text = var.text
}
