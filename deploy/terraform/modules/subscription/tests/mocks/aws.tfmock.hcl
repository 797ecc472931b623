# Every run's account, and what resources in it are called.

mock_data "aws_caller_identity" {
  defaults = { account_id = "111122223333" }
}

mock_data "aws_partition" {
  defaults = { partition = "aws" }
}

mock_data "aws_region" {
  defaults = { name = "eu-west-1" }
}

mock_resource "aws_kms_key" {
  defaults = {
    arn    = "arn:aws:kms:eu-west-1:111122223333:key/1b4f2c1e-8f1d-4f86-9f0a-3b1f6a7c0d11"
    key_id = "1b4f2c1e-8f1d-4f86-9f0a-3b1f6a7c0d11"
  }
}

override_data {
  target = data.aws_ssm_parameters_by_path.topics[0]
  values = {
    names = ["/replication/prod/topics/company-filings-v1", "/replication/prod/topics/company-profile-v1"]
    values = [
      "{\"arn\":\"arn:aws:sns:eu-west-1:111122223333:company-filings-v1\",\"attributes\":[\"form\"],\"contract\":\"company.filings/v1\",\"kms_key_arn\":\"arn:aws:kms:eu-west-1:111122223333:key/a\",\"service\":\"filings\",\"subscriber_accounts\":[]}",
      "{\"arn\":\"arn:aws:sns:eu-west-1:111122223333:company-profile-v1\",\"attributes\":[\"name\",\"sector\",\"tickers\"],\"contract\":\"company.profile/v1\",\"kms_key_arn\":\"arn:aws:kms:eu-west-1:111122223333:key/b\",\"service\":\"profile\",\"subscriber_accounts\":[]}",
    ]
  }
}

override_resource {
  target = aws_sqs_queue.this
  values = { arn = "arn:aws:sqs:eu-west-1:111122223333:stats-company-profile-v1", url = "https://sqs.eu-west-1.amazonaws.com/111122223333/stats-company-profile-v1", id = "https://sqs.eu-west-1.amazonaws.com/111122223333/stats-company-profile-v1" }
}

override_resource {
  target = aws_sqs_queue.dead
  values = { arn = "arn:aws:sqs:eu-west-1:111122223333:stats-company-profile-v1-dlq", url = "https://sqs.eu-west-1.amazonaws.com/111122223333/stats-company-profile-v1-dlq", id = "https://sqs.eu-west-1.amazonaws.com/111122223333/stats-company-profile-v1-dlq" }
}
