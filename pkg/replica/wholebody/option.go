package wholebody

import (
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// ServiceOption wraps the HTTP client of any service's Options in a Client. It
// is one of aws.Config.ServiceOptions, which apply after the SDK has adjusted
// the client to the service, so that nothing of the SDK's configuration is lost:
//
//	config.LoadDefaultConfig(ctx, config.WithServiceOptions(wholebody.ServiceOption))
//
// Each service has an Options type of its own, and in it a field HTTPClient;
// Options without one stay as they are.
func ServiceOption(_ string, options any) {
	pointer := reflect.ValueOf(options)
	if pointer.Kind() != reflect.Pointer || pointer.Elem().Kind() != reflect.Struct {
		return
	}
	field := pointer.Elem().FieldByName("HTTPClient")
	if !field.IsValid() || !field.CanSet() {
		return
	}
	inner, ok := field.Interface().(aws.HTTPClient)
	if !ok {
		return
	}
	if wrapped := reflect.ValueOf(Client(inner)); wrapped.Type().AssignableTo(field.Type()) {
		field.Set(wrapped)
	}
}
