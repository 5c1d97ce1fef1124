package outgraph

import (
	"errors"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/mongo"
)

func TestAUserWhoMayNotReadTheOutboxIsToldTheRole(t *testing.T) {
	t.Parallel()
	denied := mongo.CommandError{Code: unauthorized, Message: "not authorized on crm to execute command"}
	err := nameMissingRight(denied)
	if !errors.Is(err, &Fault{Code: CodePermissionDenied}) || !strings.Contains(err.Error(), `the part "await"`) ||
		!ends(err) {
		t.Error(err)
	}
	if other := (mongo.CommandError{Code: 91}); !errors.As(nameMissingRight(other), &mongo.CommandError{}) {
		t.Error("another error is no missing right")
	}
}
