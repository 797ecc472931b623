# The topic: encrypted, over TLS, published to by the relay and operators alone,
# subscribed to by queues, and written down where subscribers look.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  env     = "prod"
  service = "profile"
  publication = {
    contract   = "company.profile/v1"
    attributes = ["sector", "name", "tickers"]
  }
  publisher_role_arn = "arn:aws:iam::111122223333:role/profile-company-profile-v1-relay"
  alarm_topic_arns   = ["arn:aws:sns:eu-west-1:111122223333:oncall"]
}

run "one_account" {
  command = apply

  assert {
    condition     = aws_sns_topic.this.name == "company-profile-v1"
    error_message = "the name differs from the manifest's default: ${aws_sns_topic.this.name}"
  }

  assert {
    condition     = aws_sns_topic.this.kms_master_key_id == module.key.arn && module.key.rotation
    error_message = "the topic is not encrypted by a key of its own that is rotated"
  }

  assert {
    condition     = [for s in jsondecode(aws_sns_topic_policy.this.policy).Statement : "${s.Effect} ${s.Sid}"] == ["Allow OwnAccount", "Allow RelayAndOperatorsPublish", "Deny NobodyElsePublishes", "Deny NoQueueOfAnybodyElseSubscribes", "Deny NothingButQueuesSubscribes", "Deny OnlyTLS"]
    error_message = "statements: ${aws_sns_topic_policy.this.policy}"
  }

  assert {
    condition     = alltrue([for s in jsondecode(aws_sns_topic_policy.this.policy).Statement : s.Resource == ["arn:aws:sns:eu-west-1:111122223333:company-profile-v1"]])
    error_message = "a statement is about another topic: ${aws_sns_topic_policy.this.policy}"
  }

  assert {
    condition     = alltrue(flatten([for s in jsondecode(aws_sns_topic_policy.this.policy).Statement : [for a in s.Action : !strcontains(a, "*")]]))
    error_message = "SNS takes no wildcard in a topic's policy: ${aws_sns_topic_policy.this.policy}"
  }

  assert {
    condition     = !contains(jsondecode(aws_sns_topic_policy.this.policy).Statement[0].Action, "sns:Publish") && jsondecode(aws_sns_topic_policy.this.policy).Statement[0].Principal == { AWS = "arn:aws:iam::111122223333:root" }
    error_message = "the whole account may publish: ${aws_sns_topic_policy.this.policy}"
  }

  assert {
    condition = jsondecode(aws_sns_topic_policy.this.policy).Statement[1] == jsondecode(jsonencode({
      Sid       = "RelayAndOperatorsPublish"
      Effect    = "Allow"
      Principal = { AWS = ["arn:aws:iam::111122223333:root"] }
      Action    = ["sns:Publish"]
      Resource  = ["arn:aws:sns:eu-west-1:111122223333:company-profile-v1"]
      Condition = { ArnEquals = { "aws:PrincipalArn" = ["arn:aws:iam::111122223333:role/profile-company-profile-v1-relay"] } }
    }))
    error_message = "somebody else than the relay is allowed to publish: ${aws_sns_topic_policy.this.policy}"
  }

  assert {
    condition = jsondecode(aws_sns_topic_policy.this.policy).Statement[2] == jsondecode(jsonencode({
      Sid       = "NobodyElsePublishes"
      Effect    = "Deny"
      Principal = "*"
      Action    = ["sns:Publish"]
      Resource  = ["arn:aws:sns:eu-west-1:111122223333:company-profile-v1"]
      Condition = { ArnNotEquals = { "aws:PrincipalArn" = ["arn:aws:iam::111122223333:role/profile-company-profile-v1-relay"] } }
    }))
    error_message = "publishing is not denied to all but the relay: ${aws_sns_topic_policy.this.policy}"
  }

  assert {
    condition = jsondecode(aws_sns_topic_policy.this.policy).Statement[3] == jsondecode(jsonencode({
      Sid       = "NoQueueOfAnybodyElseSubscribes"
      Effect    = "Deny"
      Principal = "*"
      Action    = ["sns:Subscribe"]
      Resource  = ["arn:aws:sns:eu-west-1:111122223333:company-profile-v1"]
      Condition = { StringNotLike = { "sns:Endpoint" = ["arn:aws:sqs:*:111122223333:*"] } }
    }))
    error_message = "queues of accounts that are not listed may be subscribed: ${aws_sns_topic_policy.this.policy}"
  }

  assert {
    condition     = jsondecode(aws_sns_topic_policy.this.policy).Statement[4].Condition == { StringNotEquals = { "sns:Protocol" = ["sqs"] } } && jsondecode(aws_sns_topic_policy.this.policy).Statement[4].Principal == "*"
    error_message = "mail and HTTP may subscribe: ${aws_sns_topic_policy.this.policy}"
  }

  assert {
    condition = (
      jsondecode(aws_sns_topic_policy.this.policy).Statement[5].Condition == { Bool = { "aws:SecureTransport" = "false" } } &&
      jsondecode(aws_sns_topic_policy.this.policy).Statement[5].Principal == "*" &&
      length(setsubtract(flatten([for s in jsondecode(aws_sns_topic_policy.this.policy).Statement : s.Action]), jsondecode(aws_sns_topic_policy.this.policy).Statement[5].Action)) == 0
    )
    error_message = "something that is allowed is allowed without TLS: ${aws_sns_topic_policy.this.policy}"
  }

  assert {
    condition = jsondecode(module.key.policy).Statement[1] == jsondecode(jsonencode({
      Sid       = "OnlyThisTopic"
      Effect    = "Allow"
      Principal = { Service = "sns.amazonaws.com" }
      Action    = ["kms:GenerateDataKey*", "kms:Decrypt"]
      Resource  = ["*"]
      Condition = {
        ArnEquals = { "aws:SourceArn" = ["arn:aws:sns:eu-west-1:111122223333:company-profile-v1"] }
      }
    }))
    error_message = "SNS uses the key for other topics, too: ${module.key.policy}"
  }

  assert {
    condition     = jsondecode(module.key.policy).Statement[2].Condition == { ArnEquals = { "aws:PrincipalArn" = ["arn:aws:iam::111122223333:role/profile-company-profile-v1-relay"] }, StringEquals = { "kms:ViaService" = ["sns.eu-west-1.amazonaws.com"] } }
    error_message = "the key serves others than the relay: ${module.key.policy}"
  }

  assert {
    condition     = aws_ssm_parameter.this.name == "/replication/prod/topics/company-profile-v1" && aws_ssm_parameter.this.type == "String" && aws_ssm_parameter.this.tier == "Standard"
    error_message = "subscribers look for another parameter than ${aws_ssm_parameter.this.name}"
  }

  assert {
    condition = jsondecode(nonsensitive(aws_ssm_parameter.this.value)) == jsondecode(jsonencode({
      arn                 = "arn:aws:sns:eu-west-1:111122223333:company-profile-v1"
      attributes          = ["name", "sector", "tickers"]
      contract            = "company.profile/v1"
      kms_key_arn         = "arn:aws:kms:eu-west-1:111122223333:key/1b4f2c1e-8f1d-4f86-9f0a-3b1f6a7c0d11"
      service             = "profile"
      subscriber_accounts = []
    }))
    error_message = "subscribers read ${nonsensitive(aws_ssm_parameter.this.value)}"
  }

  assert {
    condition     = length(aws_ram_resource_share.this) == 0
    error_message = "the parameter is shared with nobody in particular"
  }

  assert {
    condition     = { for what, a in aws_cloudwatch_metric_alarm.this : what => "${a.namespace} ${a.metric_name} ${a.dimensions.TopicName}" } == { invalid-attributes = "AWS/SNS NumberOfNotificationsFilteredOut-InvalidAttributes company-profile-v1", lost-deliveries = "AWS/SNS NumberOfNotificationsFailedToRedriveToDlq company-profile-v1" }
    error_message = "the alarms watch something else"
  }
}

run "other_accounts_and_operators" {
  command = apply

  variables {
    name_prefix         = "prod-"
    subscriber_accounts = ["444455556666", "111122223333", "777788889999"]
    operator_role_arns  = ["arn:aws:iam::444455556666:role/operator", "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_operator_0123456789abcdef"]
  }

  assert {
    condition     = aws_sns_topic.this.name == "prod-company-profile-v1" && aws_ssm_parameter.this.name == "/replication/prod/topics/company-profile-v1"
    error_message = "a prefix is the topic's; its parameter has the manifest's name"
  }

  assert {
    condition     = [for s in jsondecode(aws_sns_topic_policy.this.policy).Statement : s.Sid if s.Effect == "Allow"] == ["OwnAccount", "RelayAndOperatorsPublish", "QueuesOf444455556666Subscribe", "QueuesOf777788889999Subscribe", "SubscribersLook"]
    error_message = "statements: ${aws_sns_topic_policy.this.policy}"
  }

  assert {
    condition = one([for s in jsondecode(aws_sns_topic_policy.this.policy).Statement : jsonencode(s) if s.Sid == "QueuesOf444455556666Subscribe"]) == jsonencode({
      Sid       = "QueuesOf444455556666Subscribe"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::444455556666:root" }
      Action    = ["sns:Subscribe"]
      Resource  = ["arn:aws:sns:eu-west-1:111122223333:prod-company-profile-v1"]
      Condition = { StringEquals = { "sns:Protocol" = ["sqs"] }, StringLike = { "sns:Endpoint" = ["arn:aws:sqs:*:444455556666:*"] } }
    })
    error_message = "an account may subscribe more than its own queues: ${aws_sns_topic_policy.this.policy}"
  }

  assert {
    condition = one([for s in jsondecode(aws_sns_topic_policy.this.policy).Statement : s.Condition if s.Sid == "NoQueueOfAnybodyElseSubscribes"]) == {
      StringNotLike = { "sns:Endpoint" = ["arn:aws:sqs:*:111122223333:*", "arn:aws:sqs:*:444455556666:*", "arn:aws:sqs:*:777788889999:*"] }
    }
    error_message = "other accounts' queues than those listed are let in, or listed ones kept out: ${aws_sns_topic_policy.this.policy}"
  }

  assert {
    condition = one([for s in jsondecode(aws_sns_topic_policy.this.policy).Statement : jsonencode([s.Principal, s.Action]) if s.Sid == "SubscribersLook"]) == jsonencode([
      { AWS = ["arn:aws:iam::444455556666:root", "arn:aws:iam::777788889999:root"] }, ["sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic"]
    ])
    error_message = "other accounts may do more than look: ${aws_sns_topic_policy.this.policy}"
  }

  assert {
    condition = one([for s in jsondecode(aws_sns_topic_policy.this.policy).Statement : jsonencode(s.Condition) if s.Sid == "NobodyElsePublishes"]) == jsonencode({ ArnNotEquals = { "aws:PrincipalArn" = [
      "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_operator_0123456789abcdef",
      "arn:aws:iam::111122223333:role/profile-company-profile-v1-relay",
      "arn:aws:iam::444455556666:role/operator",
    ] } })
    error_message = "replicactl backfill and reconcile could not publish: ${aws_sns_topic_policy.this.policy}"
  }

  assert {
    condition     = aws_ssm_parameter.this.tier == "Advanced" && jsondecode(nonsensitive(aws_ssm_parameter.this.value)).subscriber_accounts == ["444455556666", "777788889999"]
    error_message = "other accounts cannot read ${nonsensitive(aws_ssm_parameter.this.value)}"
  }

  assert {
    condition     = aws_ram_resource_association.this[0].resource_arn == aws_ssm_parameter.this.arn && keys(aws_ram_principal_association.this) == ["444455556666", "777788889999"]
    error_message = "the parameter is not shared with the subscribers' accounts"
  }
}

run "many_accounts" {
  command = plan

  variables {
    subscriber_accounts = [for i in range(70) : format("4444%08d", i)]
  }

  assert {
    condition     = length(jsondecode(aws_sns_topic_policy.this.policy).Statement) == 77
    error_message = "70 accounts take ${length(jsondecode(aws_sns_topic_policy.this.policy).Statement)} statements"
  }
}

run "a_large_contract" {
  command = plan

  variables {
    publication = { contract = "company.profile/v1", attributes = [for i in range(200) : "an-attribute-${i}"] }
  }

  assert {
    condition     = aws_ssm_parameter.this.tier == "Advanced"
    error_message = "SSM would refuse the parameter"
  }
}

# What is left out has the default that the programs have (module manifest).
run "default_of_the_programs" {
  command = plan

  variables {
    publication = { contract = yamldecode(file("../manifest/testdata/minimal.yaml")).publishes[0].contract, attributes = ["name"] }
  }

  assert {
    condition     = aws_sns_topic.this.name == jsondecode(file("../manifest/testdata/resolved.json"))["testdata/minimal.yaml"].publications["billing.account/v1"].topic
    error_message = "the topic is ${aws_sns_topic.this.name}"
  }
}
