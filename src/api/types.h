// Every request and response of the REST API (api/openapi.yaml), by noun. JSON in and out is in
// api/json.h.
#pragma once

#include "api/account.h"
#include "api/alerts.h"
#include "api/budget.h"
#include "api/dates.h"
#include "api/doctor.h"
#include "api/problem.h"
#include "api/quote.h"
#include "api/recovery.h"
#include "api/submission.h"
#include "api/system.h"
#include "api/transaction.h"
#include "api/usage.h"
