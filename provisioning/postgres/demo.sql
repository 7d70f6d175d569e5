-- Profile demo: the second agent's history. Harmless where the profile is not used.
create database umbel_rabbitmq;
