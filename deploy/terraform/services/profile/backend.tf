# The state is in S3, locked by a file beside it: no table is needed. Which
# bucket and which key is said at init, by a file as backend.example.hcl shows:
# one key for each service and environment, and nobody reads another's.
terraform {
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}
