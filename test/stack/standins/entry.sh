#!/bin/bash
# What the entrypoints of the real images do, as far as docker-compose.yml relies on it.
set -eu
role=$1
shift
case "$role" in
  redis)
    chown -R redis /data
    cd /data
    exec gosu redis "$@"
    ;;
  rabbitmq)
    export HOME=/var/lib/rabbitmq RABBITMQ_ENABLED_PLUGINS_FILE=/var/lib/rabbitmq/enabled_plugins
    export RABBITMQ_MNESIA_BASE=/var/lib/rabbitmq/mnesia RABBITMQ_LOGS=- RABBITMQ_LOG_BASE=/var/lib/rabbitmq
    echo '[rabbitmq_management,rabbitmq_prometheus].' > /var/lib/rabbitmq/enabled_plugins
    chown -R rabbitmq /var/lib/rabbitmq
    exec gosu rabbitmq /usr/lib/rabbitmq/bin/rabbitmq-server
    ;;
  postgres)
    data=/var/lib/postgresql/data
    chown -R 70:70 "$data"
    export PATH=/opt/postgres/bin:$PATH
    if [ ! -s "$data/PG_VERSION" ]; then
      gosu 70:70 initdb -D "$data" -U "$POSTGRES_USER" --auth-host=scram-sha-256 --auth-local=trust \
        --pwfile="$POSTGRES_PASSWORD_FILE" -E UTF8 --locale=C > /dev/null
      echo 'host all all all scram-sha-256' >> "$data/pg_hba.conf"
      gosu 70:70 pg_ctl -D "$data" -o "-c listen_addresses='' -k /tmp" -w start > /dev/null
      gosu 70:70 node /pg.mjs "create database $POSTGRES_DB" "$(cat /docker-entrypoint-initdb.d/*.sql)"
      gosu 70:70 pg_ctl -D "$data" -m fast -w stop > /dev/null
    fi
    shift # "postgres"
    exec gosu 70:70 postgres -D "$data" -c listen_addresses='*' -k /tmp "$@"
    ;;
  prometheus) exec prometheus "$@" ;;
  alertmanager) exec prometheus-alertmanager "$@" ;;
  redis-exporter) exec prometheus-redis-exporter "$@" ;;
  grafana)
    for name in $(compgen -e | grep '__FILE$'); do
      export "${name%__FILE}=$(cat "${!name}")"
    done
    exec /usr/share/grafana/bin/grafana server --homepath=/usr/share/grafana
    ;;
  answer) exec node /answer.mjs $PORTS ;;
  *)
    echo "no stand-in for $role" >&2
    exit 1
    ;;
esac
