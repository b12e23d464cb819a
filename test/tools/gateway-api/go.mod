module portitor.dev/test/tools/gateway-api

go 1.26.0
