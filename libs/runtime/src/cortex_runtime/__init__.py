"""What every Cortex process needs: settings, gRPC server, roles, telemetry, migrations, embedded servers."""
