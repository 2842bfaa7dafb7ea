#!/usr/bin/env bash
set -euo pipefail
mvn -DskipTests package

"$FLINK_HOME/bin/flink" run-application -t yarn-application \
  -Dtaskmanager.memory.process.size=4g \
  -D taskmanager.numberOfTaskSlots=4 \
  -Dtaskmanager.memory.managed.fraction=0.6 \
  target/job.jar -Dinput=orders
