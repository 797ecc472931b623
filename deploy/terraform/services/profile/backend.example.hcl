# Where one environment's state of this service is:
#   cp backend.example.hcl prod.backend.hcl
#   terraform init -backend-config=prod.backend.hcl
# The bucket has versioning on, so that a state that was overwritten comes back.
bucket     = "example-terraform-states"
key        = "prod/profile.tfstate"
region     = "eu-west-1"
kms_key_id = "alias/terraform-states"
