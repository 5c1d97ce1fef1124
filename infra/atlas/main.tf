# The Atlas Trigger of an outbox. It sends only inserts, and only their pointers leave MongoDB.
# trigger.json defines the trigger; the commands in docs/how-to/use-an-atlas-trigger.md read the
# same file. The arguments are from version 2.16.0 of the provider:
# https://github.com/mongodb/terraform-provider-mongodbatlas/blob/v2.16.0/docs/resources/event_trigger.md
#
# The provider has no argument for auto-resume (tolerate_resume_errors). Set it after each apply
# that changed something: see docs/how-to/use-an-atlas-trigger.md.

terraform {
  required_providers {
    mongodbatlas = {
      source  = "mongodb/mongodbatlas"
      version = ">= 2.16.0"
    }
  }
}

# Reads MONGODB_ATLAS_PUBLIC_API_KEY and MONGODB_ATLAS_PRIVATE_API_KEY. The resource does not
# support service accounts.
provider "mongodbatlas" {}

variable "project_id" {
  description = "The Atlas project."
  type        = string
}

variable "app_id" {
  description = "The _id of the project's app for triggers."
  type        = string
}

variable "service_id" {
  description = "The _id of the cluster as a data source of that app."
  type        = string
}

variable "database" {
  description = "The database of the documents and their outbox."
  type        = string
  default     = "outgraph"
}

variable "aws_account_id" {
  description = "The AWS account that outgraph is deployed to."
  type        = string
}

variable "aws_region" {
  description = "The region that outgraph is deployed to, such as eu-central-1."
  type        = string
}

locals {
  trigger = jsondecode(file("${path.module}/trigger.json"))
}

resource "mongodbatlas_event_trigger" "outbox" {
  project_id                  = var.project_id
  app_id                      = var.app_id
  name                        = local.trigger.name
  type                        = local.trigger.type
  disabled                    = local.trigger.disabled
  config_service_id           = var.service_id
  config_database             = var.database
  config_collection           = local.trigger.config.collection
  config_operation_types      = local.trigger.config.operation_types
  config_match                = jsonencode(local.trigger.config.match)
  config_project              = jsonencode(local.trigger.config.project)
  config_full_document        = local.trigger.config.full_document
  config_full_document_before = local.trigger.config.full_document_before_change
  unordered                   = local.trigger.config.unordered

  event_processors {
    aws_eventbridge {
      config_account_id = var.aws_account_id
      config_region     = var.aws_region
    }
  }
}

output "partner_event_source" {
  description = "The value of the param partnerEventSource of serverless.yml."
  value       = "aws.partner/mongodb.com/stitch.trigger/${mongodbatlas_event_trigger.outbox.trigger_id}"
}
