// Package terraform checks deploy/terraform with Terraform itself: its modules
// and roots each alone, on a mocked provider, and both roots together in an
// account that moto's server plays. Nothing is written into the project: all of
// it runs on a copy, with a provider that package tool finds.
//
//	go test ./test/system/terraform -args -modules   fmt, init, validate, test
//	go test ./test/system/terraform -args -scan      tfsec, and trivy where it is
//	go test ./test/system/terraform -args -apply     the roots in moto's account
//
// Without a flag neither runs. With one, what is not on the machine fails the
// test, with the reason and what to do: make terraform does not pass for want of
// Terraform.
//
// The apply promises: a subscriber's plan without its owner's topic fails and
// says so; both roots apply, with their state and its lock in S3; a second plan
// is empty, also one from manifests that leave out everything that has a default
// in Go; the real services find what was applied by the manifests' names alone,
// and a change gets from the one's API to the other's; a subscriber that replicactl
// has just written does so too, as it is, and takes what waited in its queue;
// protected tables cannot be destroyed; removing the subscribers leaves the
// owner's plan empty; and without protection nothing stays.
//
// It does not show that AWS allows what the roles are given: moto asks for no
// rights. It does not run the relay under Lambda, nor tasks under ECS, since moto
// runs containers alone: the same binaries run here as processes, the relay as a
// poller. What moto has otherwise than AWS is set right in the copy, and nowhere
// else:
//
//	what                                  in moto 5                       in the copy
//	------------------------------------  ------------------------------  -------------------------------
//	Application Auto Scaling              has no ListTagsForResource      package gap answers with the
//	                                                                      tags that were registered
//	event source mapping                  takes the stream's records, to  package gap keeps the mapping,
//	                                      call a function it cannot run;  which reads nothing
//	                                      shows an alias's version
//	a queue's redrive policy              comes back with spaces in it,   package gap takes them out
//	                                      a difference to the provider
//	whose dead letters a queue takes      is forgotten                    package gap keeps it
//	Lambda function                       forgets how it logs             a change of logging_config is
//	                                                                      ignored
//	ECS service                           forgets that tasks are spread   a change of availability_zone_
//	                                      over zones anew, and that ECS   rebalancing or enable_ecs_
//	                                      tags them                       managed_tags is ignored
//	ECS tasks                             start none                      wait_for_tasks = false
//	account, endpoints, credentials       one account, on loopback        an override of the provider,
//	                                                                      and of the backend by its file
package terraform
