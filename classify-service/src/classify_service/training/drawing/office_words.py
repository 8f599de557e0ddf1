"""What exams and offices call things: kinds of papers, instructions, roles, who gets copies."""

from __future__ import annotations

from classify_service.training.drawing.vocabulary import lines

INSTRUCTIONS = lines(
    """
    All questions are compulsory.
    Answer any five questions.
    Figures to the right indicate full marks.
    Use of non-programmable calculators is permitted.
    Assume suitable data wherever necessary.
    Draw neat diagrams wherever required.
    Write your roll number on the top of the first page.
    Attempt all parts of a question in one place.
    Mobile phones are not allowed in the examination hall.
    This paper consists of two sections.
    There is no negative marking.
    Do not open this booklet until you are told to do so.
    Each question carries equal marks.
    Answers must be written in ink.
    The paper contains printed pages; check before you begin.
    """
)
EXAM_NAMES = lines(
    """
    Supplementary Examination
    Mid-Semester Examination
    End Semester Examination
    Final Examination
    Quiz 2
    Midterm Exam
    Annual Examination
    Class Test II
    Unit Test
    Internal Assessment
    Half-Yearly Examination
    Entrance Test
    Model Question Paper
    Problem Set 4
    Pre-Board Examination
    Degree Examination
    Homework 3
    Tutorial Sheet 5
    """
)
NOTICE_KINDS = lines(
    """
    NOTICE
    CIRCULAR
    OFFICE ORDER
    MEMORANDUM
    PRESS RELEASE
    NOTIFICATION
    IMPORTANT NOTICE
    ANNOUNCEMENT
    OFFICE MEMORANDUM
    TENDER NOTICE
    ADMISSION NOTICE
    CORRIGENDUM
    Circular to all parents
    PUBLIC NOTICE
    Minutes of the meeting
    """
)
ROLES = lines(
    """
    Registrar
    Principal
    Director
    Deputy Secretary
    Head of the Department
    Controller of Examinations
    Executive Engineer
    Commissioner
    Dean (Academics)
    Chairperson
    Under Secretary
    Managing Director
    """
)
COPIES = lines(
    """
    All heads of departments
    The accounts section
    Notice boards
    PA to the Director
    The librarian
    Office file
    All affiliated colleges
    The web master, for uploading
    """
)
